"""Per-query values and top lists, packed for the page."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from harness import api
from harness.bench.store import Store, StoredRecord, by_key
from harness.data.dataset import Dataset
from harness.report.board import Table, tables
from harness.report.collection import words
from harness.report.comparisons import with_comparisons
from harness.report.per_query import file_names, packed, per_query, slices
from harness.runtime.context import Context


def table_of(store: Store) -> tuple[Table, list[StoredRecord]]:
    held, _ = store.stored()
    (table,) = tables(s.record for s in held)
    return table, held


def test_values_are_means_over_seeds_in_the_order_of_the_queries(
    put: Callable[..., StoredRecord], results: Store, context: Context
) -> None:
    put("a", {"q2": 0.4, "q1": 0.12345}, seed=0)
    put("a", {"q2": 0.6, "q1": 0.12345}, seed=1)
    put("b", {"q2": 0.1})
    table, held = table_of(results)
    found = per_query(table, results, by_key(held), None, "no words", context.cache)
    assert found["queries"] == ["q1", "q2"]
    by_row = {table.lines[row["line"]].row: row for row in found["rows"]}
    assert by_row["a"]["values"] == {"nDCG@10": [1234, 5000]}
    assert by_row["a"]["seeds"] == 2
    assert by_row["b"]["values"] == {"nDCG@10": [None, 1000]}
    assert by_row["a"]["tops"] is None
    assert (found["why"], found["texts"], found["slices"]) == ("no words", None, [])


def test_rows_of_another_revision_or_without_values_are_left_out(
    put: Callable[..., StoredRecord], results: Store, context: Context
) -> None:
    put("a", {"q1": 0.5})
    put("b", {"q1": 0.4}, revision="0" * 32)
    put("c", {"q1": 0.3}).place.queries.unlink()
    table, held = table_of(results)
    found = per_query(table, results, by_key(held), None, "", context.cache)
    assert [table.lines[row["line"]].row for row in found["rows"]] == ["a"]


def test_a_real_run_has_its_lists_titles_and_grades(
    small_folder: Path, small: Dataset, tmp_path: Path, context: Context
) -> None:
    board = api.run("bm25", dataset=str(small_folder), results=tmp_path / "results", context=context)
    assert board.store is not None
    table, held = table_of(board.store)
    said, why = words(table.dataset, small.revision, context)
    found = per_query(table, board.store, by_key(held), said, why, context.cache)
    place = found["queries"].index("name0")
    assert found["texts"][place] == small.test.queries.texts[small.test.queries.ids.index("name0")]
    assert found["relevant"][place] == 6
    best = found["rows"][0]["tops"][place][0]
    assert found["documents"][best] == "d00"
    assert dict(found["grades"][place])[best] == 2
    assert found["titles"][best]
    assert [s["name"] for s in found["slices"]] == ["length", "term overlap"]
    (files,) = file_names(table.lines[0], by_key(held), board.store)
    assert {name: (board.store.root / path).is_file() for name, path in files.items()} == dict.fromkeys(
        ("record", "queries", "run"), True
    )


def test_every_query_is_in_one_part_of_each_slice(small: Dataset, context: Context) -> None:
    said, _ = words(small.name, small.revision, context)
    assert said is not None
    queries = sorted(said.texts)
    by_length, by_overlap = slices(said, queries)
    assert set(by_length["of"]) == set(range(len(by_length["labels"])))
    assert {part for q, part in zip(queries, by_overlap["of"], strict=True) if q.startswith("asked")} == {0}


@pytest.mark.parametrize("value", [{}, {"é": ["<script>", None, 1]}])
def test_what_is_packed_comes_back_and_is_the_same_bytes(value: dict[str, object]) -> None:
    block = packed(value)
    assert json.loads(gzip.decompress(base64.b64decode(block))) == value
    assert packed(dict(reversed(value.items()))) == block


def test_rows_that_are_not_compared_on_the_board_are_not_compared_here(
    put: Callable[..., StoredRecord], results: Store, context: Context
) -> None:
    for name in ("a", "b"):
        put(name, {f"q{i}": 0.1 * i for i in range(5)})
    put("few", {"q1": 0.9})
    held, _ = results.stored()
    (table,) = with_comparisons(tables(s.record for s in held), results, held)
    found = per_query(table, results, by_key(held), None, "no words", context.cache)
    assert {table.lines[row["line"]].row for row in found["rows"]} == {"a", "b"}
