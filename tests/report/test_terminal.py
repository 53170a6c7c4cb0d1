import io
from collections.abc import Callable

import pytest
from rich.console import Console

from harness.bench.record import Record
from harness.report import terminal
from harness.report.across import Across
from harness.report.board import Table, tables

Made = Callable[..., Record]


def shown(*records: Record, colour: bool = False, width: int = 200) -> str:
    out = io.StringIO()
    console = Console(file=out, width=width, force_terminal=colour, color_system="standard" if colour else None)
    terminal.show(tables(records), console)
    return out.getvalue()


def test_every_row_is_shown_with_its_figures_best_first(made: Made) -> None:
    text = shown(made("low", 0.1), made("high", 0.25))
    assert "beir/example/test (5,183 documents, 300 queries)" in text
    assert text.index("high") < text.index("low")
    assert "0.2500" in text
    assert "0.1000" in text


def test_the_best_of_a_column_is_bold_and_ties_are_bold_together(made: Made) -> None:
    text = shown(made("a", 0.51234), made("b", 0.51232), made("c", 0.5), colour=True)
    assert text.count("\x1b[1;32m0.5123") == 2
    assert "\x1b[1;32m0.5000" not in text


def test_what_is_no_terminal_gets_no_escape_codes(made: Made, skipped: Made) -> None:
    assert "\x1b" not in shown(made("a", 0.5), skipped("b"))


def test_a_row_without_figures_is_shown_with_its_status_and_reason(skipped: Made) -> None:
    text = shown(skipped("b"))
    assert "b (skipped)" in text
    assert "skipped: no model <x>. hf download x|y." in text


def test_brackets_in_names_are_shown_and_not_taken_for_markup(made: Made) -> None:
    row, dataset, note = 'run(path="[red]x[/red].trec")', "folder/[bold]y", "[link]"
    text = shown(made(row, 0.5, dataset, notes=[note]), colour=False)
    for name in (row, dataset, note):
        assert name in text


def test_a_narrow_terminal_gets_the_figures_whole_and_the_costs_left_out(made: Made) -> None:
    text = shown(made("a", 0.51234), width=80)
    assert "0.5123" in text
    assert "fit + index" not in text
    assert "a terminal of 93 columns or more also shows costs" in text
    assert "parameters" in shown(made("a", 0.51234), width=93)


def test_a_long_name_is_broken_and_no_score_is_cut(made: Made) -> None:
    name = f"hybrid(methods=({', '.join(['bm25'] * 30)}))"
    text = shown(made(name, 0.51234), width=60)
    assert "0.5123" in text
    assert "…" not in text
    assert text.count("bm25") == 30


def test_a_terminal_shows_the_notes_of_the_best_rows_and_counts_the_others(made: Made) -> None:
    text = shown(*(made(f"row{i:02}", 0.5 - i / 100, notes=[f"note {i}"]) for i in range(11)))
    assert "`row07`: note 7" in text
    assert "note 8" not in text
    assert "3 more notes on rows are in leaderboard.md" in text


def test_several_datasets_are_set_side_by_side_and_the_rows_held_against_the_first(
    two_datasets: Callable[[], tuple[list[Table], Across]],
) -> None:
    found, over = two_datasets()
    out = io.StringIO()
    terminal.show(found, Console(file=out, width=80), over)
    text = out.getvalue().partition("nDCG@10 across datasets")[2]
    figures, _, held = text.partition("against best")
    assert [line.split()[0] for line in figures.splitlines() if line.strip()][:5] == [
        "row",
        "best",
        "twin",
        "last",
        "half",
    ]
    assert "95 %" in figures
    assert [line.split()[0] for line in held.splitlines() if line.strip()][:3] == ["row", "twin", "last"]
    assert "Intervals of differences and ranks are corrected for 3 pairs of 3 rows (c = " in held
    assert "0/0/2" in held
    assert "…" not in text


def test_without_values_datasets_are_side_by_side_all_the_same(made: Made) -> None:
    text = shown(made("a", 0.25, "folder/[bold]x/test"), made("a", 0.75, "other"))
    figures = text.partition("nDCG@10 across datasets")[2]
    assert "[bold]x/" in figures
    assert "0.5000" in figures
    assert "against" not in figures


def test_of_a_large_board_the_best_rows_are_shown_and_it_says_so(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminal, "MOST_ROWS", 4)
    monkeypatch.setattr(terminal, "FEWEST_ROWS", 2)
    records = [made(f"row{i}", i / 10, dataset) for i in range(1, 4) for dataset in ("one", "two")]
    text = shown(*records)
    assert text.count("row3") == 3  # on both and across
    assert "row1" not in text
    assert text.count("the best 2 of 3 rows; leaderboard.md and leaderboard.html have all") == 2
    monkeypatch.setattr(terminal, "MOST_ROWS", 6)
    assert "row1" in shown(*records)


def test_a_quiet_console_lays_nothing_out(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminal, "grid", None)  # else it would be called
    out = io.StringIO()
    terminal.show(tables([made("a", 0.5)]), Console(file=out, quiet=True))
    assert out.getvalue() == ""
