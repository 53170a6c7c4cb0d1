"""What is measured of an index, and the table that it is kept in."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from harness.base.errors import RecordError
from harness.bench.index_quality import FIELDS, IndexMeasurement, Task, measure, store_lines
from harness.data.ranking import TopK
from harness.indexes import inner
from harness.indexes.binary import Binary
from harness.indexes.exact import Exact
from harness.runtime.context import Context
from tests.indexes.conftest import Held, clustered

LINE = IndexMeasurement("d", "dense", 5, 2, "exact", 1.0, 1.0, 0.5, 0.0, 0.1, 2.0, 0.3, 0.4, "", 1.0, 1.0, "")


def task(**changed: object) -> Task:
    held = Task("made", "dense", Held(clustered(400, 64)), clustered(12, 64, seed=1), np.arange(400, dtype=np.int32))
    return dataclasses.replace(held, **changed)


def test_recall_is_counted_for_ten_and_for_a_hundred_asked_for(context: Context) -> None:
    made = task()
    found = measure(Binary(rescore=1), made, made.exact(), context)
    built = Binary(rescore=1).build(made.vectors, made.id_order, context)
    for k, told in ((10, found.recall_10), (100, found.recall_100)):
        shares = []
        for query, rows in zip(made.queries, built.search(made.queries, k).indices, strict=True):
            best = np.argsort(-inner(made.vectors.block(0, 400), query))[:k]
            shares.append(len(set(best.tolist()) & set(rows.tolist())) / k)
        assert told == pytest.approx(np.mean(shares), abs=1e-4)
    assert 0 < found.recall_10 < 1
    assert (found.vectors, found.dimensions, found.index) == (400, 64, "binary(rescore=1)")
    assert found.size_mib == round(400 * 8 / 2**20, 2)
    assert 0 < found.p50_ms <= found.p95_ms
    assert found.ndcg is None
    assert found.lost is None


def test_what_is_lost_is_the_quality_of_exact_search_less_that_of_the_index(context: Context) -> None:
    def quality(top: TopK) -> float:
        assert top.depth == 11
        return float(np.isin(top.indices[:, :10], np.arange(200)).mean())

    made = task(quality=quality, quality_depth=11)
    true = made.exact()
    found = measure(Binary(rescore=1), made, true, context)
    assert found.ndcg is not None
    assert found.lost == pytest.approx(quality(true[11]) - found.ndcg, abs=1e-4)
    assert measure(Exact(), made, true, context).lost == 0.0


def test_an_index_taken_from_the_cache_is_charged_for_its_building(context: Context) -> None:
    class Saved(Exact):
        def build(self, *arguments: object, **more: object) -> object:
            context.ledger.saved(100.0)
            return super().build(*arguments, **more)  # type: ignore[arg-type]

    made = task()
    assert measure(Saved(), made, made.exact(), context).build_s >= 100.0


def test_a_line_replaces_that_of_the_same_vectors_and_index_and_leaves_the_others(tmp_path: Path) -> None:
    path = tmp_path / "new" / "indexes.csv"
    store_lines([LINE, dataclasses.replace(LINE, index="hnsw", ndcg=None, lost=None)], path)
    store_lines([dataclasses.replace(LINE, p50_ms=9.0), dataclasses.replace(LINE, dataset="a")], path)
    head, *lines = path.read_text(encoding="utf-8").splitlines()
    assert head == ",".join(FIELDS)
    assert lines == [
        "a,dense,5,2,exact,1.0,1.0,0.5,0.0,0.1,2.0,0.3,0.4,,1.0,1.0,",
        "d,dense,5,2,exact,1.0,1.0,0.5,0.0,0.1,2.0,9.0,0.4,,1.0,1.0,",
        "d,dense,5,2,hnsw,1.0,1.0,,,0.1,2.0,0.3,0.4,,1.0,1.0,",
    ]


def test_lines_of_a_table_without_shares_with_ties_are_taken_over(tmp_path: Path) -> None:
    path = tmp_path / "indexes.csv"
    old = ",".join(FIELDS[:-3])
    path.write_text(f"{old}\na,dense,5,2,exact,1.0,1.0,0.5,0.0,0.1,2.0,0.3,0.4,\n", encoding="utf-8")
    store_lines([LINE], path)
    head, *lines = path.read_text(encoding="utf-8").splitlines()
    assert head == ",".join(FIELDS)
    assert lines == [
        "a,dense,5,2,exact,1.0,1.0,0.5,0.0,0.1,2.0,0.3,0.4,,,,",
        "d,dense,5,2,exact,1.0,1.0,0.5,0.0,0.1,2.0,0.3,0.4,,1.0,1.0,",
    ]


def test_recall_is_of_the_documents_that_rank_and_ties_are_counted_apart(context: Context) -> None:
    vectors = np.repeat(clustered(1, 64), 400, axis=0)

    class Other(Exact):
        exact = False

        def build(self, vectors: object, id_order: npt.NDArray[np.int32], context: object = None) -> object:
            return super().build(vectors, 399 - id_order, context)  # type: ignore[arg-type]

    made = task(vectors=Held(vectors))
    found = measure(Other(), made, made.exact(), context)
    assert (found.recall_10, found.recall_100) == (0.0, 0.0)
    assert (found.near_10, found.near_100) == (1.0, 1.0)


def test_a_file_of_another_kind_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "indexes.csv"
    path.write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(RecordError, match="has other columns than dataset, encoder"):
        store_lines([LINE], path)
    assert path.read_text(encoding="utf-8") == "a,b\n1,2\n"
