"""Every index on the vectors of every dataset, compared with exact search; `--synthetic N` takes N random vectors."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from harness.base.errors import HarnessError, Unavailable
from harness.bench.index_quality import DEPTHS, Task, measure
from harness.bench.runner import Bench
from harness.data.measures import means, parse_measures, per_query
from harness.data.ranking import Floats, Run, TopK
from harness.methods import Encodes, Method, fit
from harness.rows import row_name
from harness.runtime.context import Context
from harness.suites.selection import IndexCell
from harness.suites.summary import Reporter

DIMENSIONS = 384
SYNTHETIC_QUERIES = 300
LEAST = 0.5
"""Least share of the 100 nearest, ties counted, that an index must find."""


@pytest.fixture(scope="session")
def tasks() -> dict[str, tuple[Task, dict[int, TopK]]]:
    """Dataset → vectors and their exact neighbours; only the last dataset is in memory."""
    return {}


def test_indexes(
    index_cell: IndexCell,
    encoder: Method,
    bench: Bench,
    context: Context,
    tasks: dict[str, tuple[Task, dict[int, TopK]]],
    reporter: Reporter,
) -> None:
    """An exact index finds all neighbours, any other most of the 100 nearest."""
    try:
        index_cell.index.versions()
        if index_cell.dataset not in tasks:
            tasks.clear()
            if index_cell.synthetic:
                task = made(index_cell.synthetic, context.seed)
            else:
                task = of(index_cell.dataset, encoder, bench)
            tasks[index_cell.dataset] = task, task.exact()
        found = measure(index_cell.index, *tasks[index_cell.dataset], context)
    except Unavailable as error:
        pytest.skip(str(error))
    except HarnessError as error:
        pytest.fail(str(error), pytrace=False)
    reporter.index(found)
    if index_cell.index.exact:
        assert found.recall_10 == found.recall_100 == 1.0
    else:
        assert found.near_100 >= LEAST


def of(name: str, encoder: Method, bench: Bench) -> Task:
    """The vectors of a dataset's documents and test queries."""
    dataset, context = bench.load(name), bench.context
    fitted = fit(encoder, dataset.train, context)
    if not isinstance(fitted, Encodes):
        pytest.fail(f"--encoder {encoder}: it has no vectors; name a dense row", pytrace=False)
    queries = dataset.test.queries
    query_vectors = fitted.encoder.vectors(queries.texts, "query")
    measures = parse_measures(["nDCG@10"])

    def quality(top: TopK) -> float:
        run = Run.of_split(dataset.test, top, dataset.corpus, DEPTHS[0])
        return means(per_query(measures, dataset.test.qrels, run))["nDCG@10"]

    return Task(
        dataset.name,
        row_name(encoder),
        fitted.encoder.vectors(dataset.corpus.texts, "document"),
        query_vectors.block(0, len(query_vectors)),
        dataset.corpus.id_order,
        quality,
        dataset.test.search_depth(DEPTHS[0]),
    )


def made(n: int, seed: int) -> Task:
    """N vectors and 300 queries of length 1 around √N centres, in 384 dimensions.

    As with embeddings of texts, few directions hold most of the variance (the k-th 1/k of it), and no axis is one of
    them.
    """
    rng = np.random.default_rng(seed)
    spread = np.arange(1, DIMENSIONS + 1) ** -0.5
    turned, _ = np.linalg.qr(rng.standard_normal((DIMENSIONS, DIMENSIONS)))
    axes = (spread[:, None] * turned).astype(np.float32)
    centres = rng.standard_normal((max(1, round(n**0.5)), DIMENSIONS), dtype=np.float32)

    def drawn(number: int) -> Floats:
        vectors = centres[rng.integers(len(centres), size=number)]
        vectors = (vectors + rng.standard_normal((number, DIMENSIONS), dtype=np.float32)) @ axes
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)  # type: ignore[no-any-return]

    vectors = _InMemory(drawn(n))
    return Task(f"synthetic/{n}", "synthetic", vectors, drawn(SYNTHETIC_QUERIES), rng.permutation(n).astype(np.int32))


class _InMemory:
    def __init__(self, array: Floats) -> None:
        self._array = array

    def __len__(self) -> int:
        return len(self._array)

    @property
    def dimension(self) -> int:
        return int(self._array.shape[1])

    def block(self, start: int, stop: int) -> Floats:
        return self._array[start:stop]

    def take(self, rows: npt.NDArray[np.int64]) -> Floats:
        return self._array[rows]
