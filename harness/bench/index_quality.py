"""Indexes compared with exact search: recall, quality, cost and latency, stored as one table."""

from __future__ import annotations

import csv
import dataclasses
import io
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from harness.base.errors import RecordError
from harness.base.files import write_text
from harness.bench.latency import Timing
from harness.bench.machine_load import why
from harness.data.ranking import Floats, TopK
from harness.indexes import Index, Nearest, Vectors, nearness, recall, share
from harness.indexes.exact import Exact
from harness.runtime.context import Context

DEPTHS = (10, 100)
QUERIES = 200


@dataclass(frozen=True)
class Task:
    """Vectors to search, and the queries.

    Args:
        dataset: its name.
        encoder: the row whose vectors they are.
        vectors: (N, D).
        queries: (Q, D), at least one.
        id_order: (N,) breaks ties.
        quality: a ranking → its nDCG@10; None if nothing is judged.
        quality_depth: how deep to search for it, `harness.data.queries.Labelled.search_depth` of 10.
    """

    dataset: str
    encoder: str
    vectors: Vectors
    queries: Floats
    id_order: npt.NDArray[np.int32]
    quality: Callable[[TopK], float] | None = None
    quality_depth: int = DEPTHS[0]

    def exact(self) -> dict[int, TopK]:
        """The true nearest, for each of the depths that are measured."""
        built = Exact().build(self.vectors, self.id_order)
        return {k: built.search(self.queries, k) for k in self.depths()}

    def depths(self) -> set[int]:
        """The depths of the searches."""
        return {*DEPTHS, self.quality_depth}


@dataclass(frozen=True)
class IndexMeasurement:
    """The measurements of one index.

    Args:
        dataset: its name.
        encoder: the row whose vectors they are.
        vectors: N.
        dimensions: D.
        index: the expression.
        recall_10: share of the first 10 of exact search that it finds in a search for 10.
        recall_100: share of the first 100 of exact search that it finds in a search for 100.
        ndcg: nDCG@10; None if nothing is judged.
        lost: nDCG@10 of exact search less that; None if nothing is judged.
        build_s: seconds that building takes, without the cache.
        size_mib: MiB of what it searches.
        p50_ms: median milliseconds of one query for 100, encoding left out.
        p95_ms: 95th percentile of the same.
        versions: of the libraries that decide.
        near_10: as `recall_10`, with every vector counted that ties with the tenth; it says more where many vectors are
            equal.
        near_100: the same of 100.
        busy: why the latency is not the index's own; empty if it is.
    """

    dataset: str
    encoder: str
    vectors: int
    dimensions: int
    index: str
    recall_10: float
    recall_100: float
    ndcg: float | None
    lost: float | None
    build_s: float
    size_mib: float
    p50_ms: float
    p95_ms: float
    versions: str
    near_10: float
    near_100: float
    busy: str


FIELDS = tuple(field.name for field in dataclasses.fields(IndexMeasurement))
BEFORE = FIELDS[:-3]
"""Columns of tables that an earlier version wrote: its recall counted ties, as `near_10` and `near_100` do."""
KEY = ("dataset", "encoder", "vectors", "dimensions", "index")


def measure(index: Index, task: Task, true: dict[int, TopK], context: Context) -> IndexMeasurement:
    """Builds the index, or takes it from the cache, and searches it.

    Args:
        index: to measure.
        task: its vectors and queries.
        true: `task.exact()`.
        context: seed and cache; time that the cache saved counts as build time.

    Raises:
        Unavailable: its library is absent.
    """
    with context.ledger.tracked(f"index {index}") as step:
        started = time.perf_counter()
        built = index.build(task.vectors, task.id_order, context)
        spent = time.perf_counter() - started
    found = {k: built.search(task.queries, k) for k in task.depths()}
    ndcg = task.quality(found[task.quality_depth]) if task.quality else None
    best = task.quality(true[task.quality_depth]) if task.quality else None
    waits = _timed(built, task.queries)
    return IndexMeasurement(
        dataset=task.dataset,
        encoder=task.encoder,
        vectors=len(task.vectors),
        dimensions=task.vectors.dimension,
        index=str(index),
        recall_10=share(recall(found[10], true[10], 10)),
        recall_100=share(recall(found[100], true[100], 100)),
        ndcg=None if ndcg is None else round(ndcg, 4),
        lost=None if ndcg is None or best is None else round(best - ndcg, 4),
        build_s=round(spent + step.cached_seconds, 2),
        size_mib=round(built.nbytes / 2**20, 2),
        p50_ms=waits["p50_ms"],
        p95_ms=waits["p95_ms"],
        versions=" ".join(f"{name} {version}" for name, version in index.versions().items()),
        near_10=share(nearness(found[10], true[10], 10)),
        near_100=share(nearness(found[100], true[100], 100)),
        busy=why(waits) or "",
    )


def _timed(built: Nearest, queries: Floats) -> dict[str, Any]:
    """The latency of single queries for 100, of up to 200 of them, as for a row (`Timing`)."""
    timed = Timing(lambda i: built.search(queries[i][None], DEPTHS[1]), len(queries), QUERIES, DEPTHS[1])
    timed.round()
    timed.persist()
    return timed.latency() or {}


def store_lines(lines: Iterable[IndexMeasurement], path: Path) -> None:
    """Adds lines to a CSV file; one of the same vectors and index is replaced.

    Raises:
        RecordError: the file exists and is not such a table.
    """
    table = {tuple(str(value) for value in _key(line)): _texts(line) for line in lines}
    if path.is_file():
        with open(path, encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            if tuple(reader.fieldnames or ()) not in (FIELDS, BEFORE):
                raise RecordError(f"{path} has other columns than {', '.join(FIELDS)}; move it away and run again.")
            stored = {tuple(row[name] for name in KEY): row for row in reader}
        table = {**stored, **table}
    out = io.StringIO()
    writer = csv.DictWriter(out, FIELDS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(table[key] for key in sorted(table))
    write_text(path, out.getvalue())


def _key(line: IndexMeasurement) -> tuple[object, ...]:
    return tuple(getattr(line, name) for name in KEY)


def _texts(line: IndexMeasurement) -> dict[str, str]:
    return {name: "" if value is None else str(value) for name, value in dataclasses.asdict(line).items()}
