"""What a board says first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from harness.bench.store import Store, StoredRecord
from harness.compare.control import AgainstControl
from harness.report.across import Across
from harness.report.board import Table, tables
from harness.report.comparisons import with_comparisons
from harness.report.headline import across_caveats, across_verdict, caveats, verdict


def compared(results: Store) -> Table:
    held, _ = results.stored()
    (table,) = with_comparisons(tables(each.record for each in held), results, held)
    return table


def test_the_verdict_names_the_best_row_and_those_that_are_worse(
    put: Callable[..., StoredRecord], results: Store
) -> None:
    values = {f"q{i:02}": (i % 10) / 10 for i in range(60)}
    put("low", values)
    assert verdict(compared(results)) == ""  # of one row there is none
    put("high", {q: v + 0.1 for q, v in values.items()})
    table = compared(results)
    assert verdict(table).startswith("Best: `high`, nDCG@10 0.5500 [")
    assert verdict(table).endswith("; the other row is significantly worse.")
    found = caveats(table)
    assert found[: len(table.caveats)] == list(table.caveats)
    assert found[-1] == f"{table.power}."
    assert not any("control" in line for line in found)  # no row was trained


def test_trained_rows_need_a_control_and_are_counted_against_it(
    put: Callable[..., StoredRecord], results: Store
) -> None:
    values = {f"q{i:02}": (i % 10) / 10 for i in range(60)}
    put("low", values)
    put("high", {q: v + 0.1 for q, v in values.items()})
    table = compared(results)
    open_question = caveats(replace(table, lacks_control=True))
    assert any("whether training beats looking up" in line for line in open_question)
    against = {0: AgainstControl("worse", "tied"), 1: AgainstControl("tied", "better"), 2: AgainstControl("tied", None)}
    told = [line for line in caveats(replace(table, against_control=against)) if "control" in line]
    assert told == [
        "On queries about new documents, 1 of 2 trained rows is significantly better than the control, which only "
        "looks up judged documents; 1 tied, 0 significantly worse."
    ]
    told = caveats(replace(table, against_control={0: AgainstControl(every="worse")}))
    only = "On all queries, the trained row is significantly worse than the control"
    assert f"{only}, which only looks up judged documents." in told


def test_across_datasets_it_is_the_mean_and_rows_without_one_are_counted(
    two_datasets: Callable[[], tuple[list[Table], Across]],
) -> None:
    _, over = two_datasets()
    assert across_verdict(over).startswith("Across 2 datasets, best: `")
    assert "mean nDCG@10" in across_verdict(over)
    assert across_caveats(over) == ["1 row lacks a score on some dataset and has no mean.", *over.notes]
