"""Cells of a terminal."""

from __future__ import annotations

from harness.report.column import Column
from harness.report.terminal_cells import cells, empty_grid, words


def test_text_from_data_is_one_line_and_no_markup() -> None:
    assert words("[red]a\nb[/red]").plain.split() == ["[red]a", "b[/red]"]
    assert str(empty_grid("[bold]", "more").title) == "[bold] more"


def test_the_best_cell_is_bold() -> None:
    column = Column[float]("score", lambda value: value, str, best="0.5")
    (best,), (other,) = cells([column], 0.5), cells([column], 0.4)
    assert [str(span.style) for span in best.spans] == ["bold green"]
    assert not any(str(span.style) for span in other.spans)
