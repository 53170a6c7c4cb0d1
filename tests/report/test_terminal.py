"""The board in a terminal; how it looks is in `test_screens.py`."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest

from harness.bench.record import Record
from harness.bench.store import Store
from harness.report import terminal
from harness.report.across import Across
from harness.report.board import Table, tables
from harness.report.comparisons import with_comparisons
from harness.report.screen import Screen

Made = Callable[..., Record]


def shown(*records: Record, width: int = 200, **settings: object) -> str:
    return printed(tables(records), width=width, **settings)


def printed(found: list[Table], over: Across | None = None, width: int = 200, **settings: object) -> str:
    screen = Screen(width=width)
    screen.file = io.StringIO()
    terminal.show(found, screen, over, **settings)  # type: ignore[arg-type]
    return screen.file.getvalue()


def test_every_row_is_shown_with_its_figures_best_first(made: Made) -> None:
    text = shown(made("low", 0.1), made("high", 0.25))
    assert "beir/example/test (5,183 documents, 300 queries)" in text
    assert text.index("high") < text.index("low")
    assert "0.2500" in text
    assert "0.1000" in text


def test_the_best_of_a_column_is_marked_and_ties_are_marked_together(made: Made) -> None:
    (table,) = tables([made("a", 0.51234), made("b", 0.51232), made("c", 0.5)])
    field = next(f for f in terminal.table_sheet(table).fields if f.key == "nDCG@10")
    assert [text == field.best for text in field.texts] == [True, True, False]


def test_a_row_without_figures_is_shown_with_its_status_and_reason(skipped: Made) -> None:
    text = shown(skipped("b"))
    assert "b (skipped)" in text
    assert "skipped: no model <x>. hf download x|y." in text


def test_brackets_in_names_are_shown_and_not_taken_for_markup(made: Made) -> None:
    row, dataset, note = 'run(path="[red]x[/red].trec")', "folder/[bold]y", "[link]"
    text = shown(made(row, 0.5, dataset, notes=[note]))
    for name in ("[red]x[/red].trec", dataset, note):
        assert name in text


def test_a_narrow_terminal_gets_the_figures_whole_and_says_what_it_leaves_out(made: Made) -> None:
    text = shown(made("a", 0.51234), width=60)
    assert "0.5123" in text
    assert "60 columns are too narrow for: " in text
    assert "parameters" in shown(made("a", 0.51234), width=120).partition("\na ")[0]


def test_a_long_name_has_a_short_one_and_a_legend(made: Made) -> None:
    rows = [f"hybrid(methods=(bm25, {last}), fusion=convex)" for last in ("dense", "splade")]
    text = shown(*(made(row, 0.51234) for row in rows), width=60)
    assert "0.5123" in text
    assert " ".join(text.split()).count(" = hybrid(methods=(bm25,") == 2


def test_a_name_that_cannot_be_shortened_is_whole(made: Made) -> None:
    name = f"run/a folder/{' '.join(['word'] * 30)}.trec"
    text = shown(made(name, 0.51234), width=60)
    assert "0.5123" in text
    assert "…" not in text
    assert text.count("word") == 30


def test_notes_that_differ_in_their_numbers_are_one(made: Made) -> None:
    records = [made(f"row{i:02}", 0.5 - i / 100, notes=[f"cut {i} of 9", "the same"]) for i in range(5)]
    text = shown(*records)
    assert "row00: cut 0 of 9 (similarly row01, row02, row03 and 1 more)" in text
    assert "row00, row01, row02 and 2 more: the same" in text
    assert "row04: cut 4 of 9" in shown(*records, verbose=True)


def test_several_datasets_are_set_side_by_side_with_the_verdict_on_top(
    two_datasets: Callable[[], tuple[list[Table], Across]],
) -> None:
    found, over = two_datasets()
    text = printed(found, over, width=140)
    assert text.startswith("Across 2 datasets, best: best, mean nDCG@10 ")
    figures = text.partition("nDCG@10 across datasets")[2]
    rows = [line.split()[0] for line in figures.splitlines() if line.strip() and "─" not in line]
    assert rows[: rows.index("last") + 1][-3:] == ["best", "twin", "last"]
    assert "half" not in rows
    assert "1 more row, without a mean or further below: -v" in text
    assert "0/0/2" in figures
    assert "half" in printed(found, over, verbose=True).partition("nDCG@10 across datasets")[2]


def test_without_values_datasets_are_side_by_side_all_the_same(made: Made) -> None:
    text = shown(made("a", 0.25, "folder/[bold]x/test"), made("a", 0.75, "other"))
    figures = text.partition("nDCG@10 across datasets")[2]
    assert "[bold]x/" in figures
    assert "0.5000" in figures
    assert "from the first" not in figures


def test_of_a_large_board_the_best_rows_are_shown_and_it_says_so(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminal, "MOST_ROWS", 4)
    monkeypatch.setattr(terminal, "FEWEST_ROWS", 2)
    records = [made(f"row{i}", i / 10, dataset) for i in range(1, 4) for dataset in ("one", "two")]
    text = shown(*records)
    assert text.count("row3") == 3  # on both and across
    assert "row1" not in text
    assert text.count("the best 2 of 3 rows; -v, leaderboard.md and leaderboard.html have all") == 2
    monkeypatch.setattr(terminal, "MOST_ROWS", 6)
    assert "row1" in shown(*records)


def test_a_line_is_drawn_below_the_rows_that_are_tied_with_the_best(
    two_datasets: Callable[[], tuple[list[Table], Across]], results: Store
) -> None:
    found, _ = two_datasets()
    stored, _ = results.stored()
    sheet = terminal.table_sheet(with_comparisons(found, results, stored)[1])
    ranks = next(f for f in sheet.visible if f.heading == "rank")
    assert [text.endswith("tied") for text in ranks.texts] == [False, True, False]
    assert sheet.groups == [2]


def test_a_quiet_console_lays_nothing_out(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminal, "shown", None)  # else it would be called
    out = io.StringIO()
    screen = Screen(quiet=True)
    screen.file = out
    terminal.show(tables([made("a", 0.5)]), screen)
    assert out.getvalue() == ""
