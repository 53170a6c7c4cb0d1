"""Cells and empty tables of a terminal: what is in a text from data is never markup."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table as Grid
from rich.text import Text

from harness.base.plain import one_line
from harness.report.column import Column, Row


def words(text: str, style: str = "") -> Text:
    """Text from data in one line."""
    return Text(one_line(text), style)


def empty_grid(title: str, more: str = "") -> Grid:
    """An empty table; `more` is dim in the title."""
    head = Text.assemble(words(title), words(f" {more}" if more else "", "dim"), style="table.title")
    head.no_wrap, head.overflow = True, "ignore"  # a narrow table would break it
    return Grid(title=head, title_justify="left", header_style="bold", box=None, pad_edge=False)


def cells(columns: Sequence[Column[Row]], row: Row) -> list[Text]:
    """A row's cells, the best of a column bold."""
    texts = [column.text(row) for column in columns]
    return [_cell(text, text == column.best) for column, text in zip(columns, texts, strict=True)]


def _cell(text: str, best: bool) -> Text:
    return Text.assemble((one_line(text), "bold green" if best else ""))  # a style of all would colour the padding
