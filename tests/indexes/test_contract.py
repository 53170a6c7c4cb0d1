"""What holds for every file of the room."""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt
import pytest

from harness.corpus import Corpus
from harness.expressions import parse
from harness.indexes import INDEXES, Index
from harness.ranking import Floats, TopK, select
from harness.rows import ROOMS

N, D = 500, 16


class Held:
    """Vectors in memory that count what is read."""

    def __init__(self, array: Floats) -> None:
        self.array = array

    def __len__(self) -> int:
        return len(self.array)

    @property
    def dimension(self) -> int:
        return self.array.shape[1]

    def block(self, start: int, stop: int) -> Floats:
        return self.array[start:stop]

    def take(self, rows: npt.NDArray[np.int64]) -> Floats:
        return self.array[rows]


CORPUS = Corpus.of([(f"d{(7 * i) % N:03}", "", "") for i in range(N)])
RNG = np.random.default_rng(0)
VECTORS = RNG.standard_normal((N, D), np.float32)
VECTORS[250:] = VECTORS[:250]  # every vector twice
QUERIES = RNG.standard_normal((20, D), np.float32)


@pytest.fixture(params=INDEXES.names())
def index(request: pytest.FixtureRequest) -> Index:
    return INDEXES.get(request.param)()


def found(index: Index, k: int) -> TopK:
    return index.build(Held(VECTORS), CORPUS.id_order).search(QUERIES, k)


def test_an_index_is_a_frozen_value_with_defaults_that_says_whether_it_is_exact(index: Index) -> None:
    assert parse(str(index), INDEXES, ROOMS) == index
    assert parse(index.full(), INDEXES, ROOMS) == index
    assert type(index).exact in (True, False)
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(index, dataclasses.fields(index)[0].name, 1)  # type: ignore[arg-type]


@pytest.mark.parametrize("k", [1, 10, N, N + 5])
def test_what_is_found_is_in_the_documented_order_each_once_with_true_scores(index: Index, k: int) -> None:
    top = found(index, k)
    assert top.indices.shape == (len(QUERIES), k)
    for query, (rows, scores) in zip(QUERIES, top.rows(), strict=True):
        assert len(set(rows.tolist())) == len(rows) == min(k, N)
        assert scores == pytest.approx(VECTORS[rows].astype(np.float64) @ query, abs=1e-5)
        assert rows.tolist() == select(rows, scores, CORPUS.id_order, k)[0].tolist()


def test_equal_vectors_get_equal_scores(index: Index) -> None:
    for rows, scores in found(index, N).rows():
        by_row = dict(zip(rows.tolist(), scores.tolist(), strict=True))
        assert all(by_row[row] == by_row[row + 250] for row in range(250))


def test_an_exact_index_finds_the_true_nearest(index: Index) -> None:
    if type(index).exact:
        true = QUERIES.astype(np.float64) @ VECTORS.astype(np.float64).T
        for scores, (rows, _) in zip(true, found(index, 10).rows(), strict=True):
            assert scores[rows] == pytest.approx(np.sort(scores)[::-1][:10], abs=1e-6)


def test_a_search_changes_nothing(index: Index) -> None:
    built = index.build(Held(VECTORS), CORPUS.id_order)
    first = built.search(QUERIES, 5)
    built.search(QUERIES[:3] * 2, 7)
    again = built.search(QUERIES, 5)
    assert first.indices.tolist() == again.indices.tolist()
    assert first.scores.tolist() == again.scores.tolist()


def test_no_query_has_no_ranking(index: Index) -> None:
    assert index.build(Held(VECTORS), CORPUS.id_order).search(QUERIES[:0], 5).indices.shape == (0, 5)


def test_a_query_of_another_dimension_is_a_defect(index: Index) -> None:
    with pytest.raises(ValueError, match="dimension"):
        index.build(Held(VECTORS), CORPUS.id_order).search(QUERIES[:, :5], 3)


def test_its_size_is_told(index: Index) -> None:
    assert index.build(Held(VECTORS), CORPUS.id_order).nbytes > 0
