"""The table across datasets with what the per-query values say."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from harness.bench.store import Store, StoredRecord
from harness.report.across import Across
from harness.report.across_columns import AGAINST, OVERALL
from harness.report.board import Table, tables
from harness.report.comparisons_across import compared_across

BASE = np.random.default_rng(1).uniform(0.2, 0.8, 200)


def by_query(column: np.ndarray) -> dict[str, float]:
    return {f"q{i}": round(float(v), 6) for i, v in enumerate(column)}


def cells(over: Across, name: str) -> list[str]:
    (row,) = [row for row in over.rows if row.name == name]
    return [column.text(row) for column in (*OVERALL, *AGAINST)]


There = Callable[[], tuple[list[Table], Across]]


def test_rows_with_figures_on_every_dataset_stand_across_them(two_datasets: There) -> None:
    _, over = two_datasets()
    assert {row.name: row.overall.ranks for row in over.rows if row.overall} == {
        "best": (1, 2),
        "twin": (1, 2),
        "last": (3, 3),
    }
    (note,) = over.notes
    assert note.startswith("Tied: ")
    assert "hold together for 3 pairs of 3 rows (c = " in note
    assert [row.name for row in over.compared] == ["twin", "last"]
    assert over.baseline == "best"
    assert cells(over, "last")[-2] != "–"
    assert set(cells(over, "half")) == {"–"}


def test_one_dataset_has_none_across(put: Callable[..., StoredRecord], results: Store) -> None:
    held = [put("a", by_query(BASE))]
    assert compared_across(tables(s.record for s in held), results, held) is None


def test_a_broken_file_of_values_is_named_and_the_others_are_compared(two_datasets: There, results: Store) -> None:
    (results.root / "d2" / "best" / "seed0.queries.json").write_text("{")
    _, over = two_datasets()
    assert [row.name for row in over.rows] == ["best", "twin", "last", "half"]
    assert [row.name for row in over.rows if row.overall] == ["twin", "last"]
    assert over.baseline == "twin"
    _, note = over.notes
    assert note.startswith("`best`: without an interval: the per-query values ")
    assert set(cells(over, "best")) == {"–"}


def test_the_odd_one_out_stands_without_even_where_it_is_the_best(
    two_datasets: There, put: Callable[..., StoredRecord], results: Store
) -> None:
    put("best", {f"q{i}": 0.9 for i in range(30)}, dataset="d1", revision="0" * 32)
    put("last", {f"p{i}": 0.1 for i in range(90)}, dataset="d2")
    put("third", {f"q{i}": 0.2 for i in range(30)}, dataset="d1")
    put("third", {f"q{i}": 0.2 for i in range(90)}, dataset="d2")
    _, over = two_datasets()
    assert [row.name for row in over.rows if row.overall] == ["twin", "third"]
    reason = "of another revision or other queries than most rows on"
    assert over.notes[1:] == (
        f"`best`: {reason} d1; not compared across datasets.",
        f"`last`: {reason} d2; not compared across datasets.",
    )


def test_rows_with_no_dataset_in_common_are_told_of(put: Callable[..., StoredRecord], results: Store) -> None:
    held = [put("a", by_query(BASE), dataset="d1"), put("b", by_query(BASE), dataset="d2")]
    over = compared_across(tables(s.record for s in held), results, held)
    assert over is not None
    assert not over.has_intervals
    assert over.notes == ("No row has scores on every dataset: there are no means to compare.",)


def test_single_queries_several_seeds_and_one_name_for_two_methods_are_noted(
    put: Callable[..., StoredRecord], results: Store
) -> None:
    held = [put(row, {"q": value}, dataset="d1") for row, value in (("a", 0.5), ("b", 0.5))]
    held += [put(row, by_query(BASE), dataset="d2") for row in ("a", "b")]
    held += [put("a", by_query(BASE), 1, "d2"), put("b", by_query(BASE), 1, "d2", method="other")]
    over = compared_across(tables(s.record for s in held), results, held)
    assert over is not None
    assert over.notes[1:] == (
        "`b`: several methods have this name on d2; the best of them is used.",
        "d1 has one query: the intervals understate the uncertainty of its scores.",
        "scores are means over several seeds; intervals do not cover models trained with other seeds: `a`.",
    )
    assert [row.overall.ranks for row in over.rows if row.overall] == [(1, 2), (1, 2)]
    against = over.compared[0].against
    assert against is not None
    assert (against.difference.mean, against.difference.p) == (0.0, 1.0)
    assert (against.datasets, against.queries) == ((0, 2, 0), (0, 201, 0))
