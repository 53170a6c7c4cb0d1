"""What rows are called: the user's name first, then a short one, and never one name for two rows."""

from __future__ import annotations

from typing import Any

from harness.bench.record import Record
from harness.bench.row_names import RowNames, shown

LONG = "dense+contrastive_tension+supervised(queries=100)"


def record(row: str, alias: str = "", started: str = "2026-01-01", **more: Any) -> Record:
    return Record(row, row, {"name": "d"}, alias=alias, started=started, **more)


def test_a_row_is_called_by_its_alias_else_by_a_short_name() -> None:
    names = RowNames.of([record("bm25"), record("dense", "mine"), record(LONG)])
    assert [names(row) for row in ("bm25", "dense", LONG)] == ["bm25", "mine", LONG.replace("(", " ").rstrip(")")]
    assert names("never seen") == "never seen"


def test_what_a_name_does_not_tell_is_for_a_legend() -> None:
    fused = [f"hybrid(methods=(bm25, {row}), fusion=convex)" for row in ("splade", "colbert")]
    assert RowNames.of([record("dense", "mine"), record(LONG), *map(record, fused)]).unclear == {"dense", *fused}


def test_the_newest_name_of_a_row_counts_whatever_its_dataset_or_seed() -> None:
    names = RowNames.of([record("dense", "new", "2026-03-01"), record("dense", "old"), record("dense", seed=2)])
    assert names("dense") == "new"


def test_a_name_given_to_another_row_is_that_row_s() -> None:
    names = RowNames.of([record("dense", "best"), record("bm25", "best", "2026-02-01")])
    assert (names("dense"), names("bm25")) == ("dense", "best")


def test_a_short_name_that_is_somebody_s_alias_is_not_used() -> None:
    short = LONG.replace("(", " ").rstrip(")")
    names = RowNames.of_rows([LONG, "bm25"], {"bm25": short})
    assert (names(LONG), names("bm25")) == (LONG, short)


def test_a_row_by_itself() -> None:
    assert shown(record("dense", "mine")) == "mine"
    assert shown(record("bm25")) == "bm25"


def test_a_function_is_called_as_on_the_command_line() -> None:
    here, other = 'python(file="my_search.py:search")', 'python(file="my_search.py:search", version="2")'
    names = RowNames.of_rows([here, other, "bm25"])
    assert names(here) == "my_search.py:search"
    assert names(other) not in (here, names(here))
    assert here not in names.unclear
    assert RowNames.of_rows([here, "bm25"], {"bm25": "my_search.py:search"})(here) != "my_search.py:search"
