"""The board in a terminal. Cells are `Text`: what is in a name is never markup (`harness.report.screen` has the
rest).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table as Grid
from rich.text import Text

from harness.compare.decision import Decision
from harness.report import formats
from harness.report.across import Across, across
from harness.report.board import Line, Table
from harness.report.column import Column, Writer
from harness.report.columns import columns_of, costs
from harness.report.decision import board
from harness.report.notes import notes_of
from harness.report.sweep import board as sweep_board
from harness.report.terminal_across import across_grids
from harness.report.terminal_cells import cells, empty_grid, words
from harness.sweep.estimate import Planned
from harness.sweep.result import SweepResult

MOST_ROWS = 300
"""Of all tables together; where there are more, each shows its best, and the files have all."""
FEWEST_ROWS = 10
"""Of a table, which are shown in any case."""
SHORTEST, LONGEST = 12, 28
"""Characters that the column of names has at least, and that it must have for more columns than a narrow terminal
shows; longer names are broken.
"""
NARROW = 112
"""Characters of a terminal below which a decision has no intervals of means."""
MOST_NOTES = 8
"""Notes from the records of a table; leaderboard.md has all."""


def show(tables: Sequence[Table], console: Console, over: Across | None = None) -> None:
    """Prints one table per dataset and one across them, best values bold, and notes below each.

    Args:
        tables: one per dataset.
        console: where to.
        over: the table across them with its comparison; None makes it from the tables alone.
    """
    if console.quiet:  # rich would lay out everything all the same
        return
    most = _most(tables)
    for table in tables:
        writer = _writer(table, console.width, most)
        console.print(grid(table, writer, most))
        for note in [*_cut(table, writer, most), *notes_of(table, MOST_NOTES)]:
            _note(console, note)
        console.print()
    over = over or across(tables)
    if over is not None:
        for drawn in across_grids(over, most):
            console.print(drawn)
            console.print()
        for note in over.notes:
            _note(console, note)


def _most(tables: Sequence[Table]) -> int | None:
    """Rows that each table shows; None if all tables are short enough."""
    if sum(len(table.lines) for table in tables) <= MOST_ROWS:
        return None
    return max(FEWEST_ROWS, MOST_ROWS // len(tables))


def _writer(table: Table, width: int, most: int | None) -> Writer:
    """Which columns fit."""
    roomy: tuple[Writer, ...] = ("wide terminal", "medium terminal", "terminal")
    return next((writer for writer in roomy if _needed(table, writer, most) <= width), "narrow terminal")


def _needed(table: Table, writer: Writer, most: int | None) -> int:
    """Characters that a table takes with the columns of a writer."""
    name = max((cell_len(line.row) for line in table.lines[:most]), default=0)
    others = sum(2 + _width(column, table, most) for column in columns_of(table, writer))
    return max(SHORTEST, min(name, LONGEST)) + others


def _width(column: Column[Line], table: Table, most: int | None) -> int:
    """Characters of a column; headings of costs may be broken between words."""
    headings = column.heading.split() if column in costs() else [column.heading]
    return max(map(cell_len, (*headings, *(column.text(line) for line in table.lines[:most]))))


def _cut(table: Table, writer: Writer, most: int | None) -> Iterator[str]:
    """What the terminal leaves out, and what the queries can detect."""
    if most is not None and len(table.lines) > most:
        yield f"the best {most} of {len(table.lines):,} rows; leaderboard.md and leaderboard.html have all"
    if writer != "wide terminal":
        narrow = table.has_intervals and writer == "narrow terminal"
        parts = ["differences from the best"] if narrow else []
        if table.both_parts and writer != "medium terminal":
            parts.append("old documents, intervals on new ones, the control")
        more = " and ".join([", ".join(parts), "costs"] if parts else ["costs"])
        yield f"a terminal of {_needed(table, 'wide terminal', most)} columns or more also shows {more}"
    if table.power:
        yield f"{table.measures[0]}: {table.power}"


def _note(console: Console, text: str) -> None:
    console.print(words(f"  {text}", "dim"))


def grid(table: Table, writer: Writer = "wide terminal", most: int | None = None) -> Grid:
    """One dataset's table with the columns that fit, at most `most` rows of it."""
    columns = columns_of(table, writer)
    dataset = table.first.dataset
    drawn = empty_grid(table.dataset, f"({dataset['documents']:,} documents, {dataset['queries']:,} queries)")
    drawn.add_column("row", overflow="fold", min_width=SHORTEST)
    for column in columns:
        left = column.kind in ("words", "difference", "rank")
        width = _width(column, table, most)
        drawn.add_column(words(column.heading), justify="left" if left else "right", width=width)
    for line in table.lines[:most]:
        name = Text.assemble(words(line.row), ("" if line.ok else f" ({line.first.status})", "yellow"))
        drawn.add_row(name, *cells(columns, line))
    for published, scores in table.published_rows:
        texts = [scores[column.measure] if column.measure else column.published for column in columns]
        drawn.add_row(words(published), *map(Text, texts), style="dim")
    return drawn


def decision(dataset: str, found: Decision, width: int = NARROW) -> Grid:
    """The rows of a decision: mean, interval, difference from the best, ranks, costs.

    A terminal narrower than `NARROW` shows no intervals of means and breaks the differences.
    """
    head, rows = board(found)
    shown = [i for i, name in enumerate(head) if width >= NARROW or name != "95 %"]
    drawn = empty_grid(dataset)
    for name in (head[i] for i in shown):
        may_wrap = name == "row" or (width < NARROW and name in ("from the best", "ms a query"))
        drawn.add_column(name, justify="left" if name == "row" else "right", no_wrap=not may_wrap, overflow="fold")
    for row in rows:
        drawn.add_row(*(words(row[i]) for i in shown))
    return drawn


def sweep(found: SweepResult, most: int = 20) -> Grid:
    """The rows of a sweep on dev, the best of them, and the baselines."""
    head, rows = sweep_board(found)
    count = len(found.tried)
    drawn = empty_grid(found.dataset, f"(dev, {count:,} rows{f', the best {most}' if count > most else ''})")
    for i, name in enumerate(head):
        drawn.add_column(words(name), justify="right" if i else "left", no_wrap=i > 0, overflow="fold")
    for i, row in enumerate(rows):
        if i < min(most, count) or i >= count:
            drawn.add_row(*map(words, row), style="bold green" if row[-2] == "chosen" else None)
    return drawn


def planned(dataset: str, parts: Sequence[Planned], dollars: Callable[[float], float | None]) -> Grid:
    """What a sweep will take, a line for each part of it.

    Args:
        dataset: as requested.
        parts: of the search.
        dollars: what so many seconds cost.
    """
    drawn = empty_grid(dataset)
    for i, name in enumerate(("part", "rows", "cells", "done", "seconds a cell", "left", "by")):
        drawn.add_column(name, justify="right" if 0 < i < 6 else "left", overflow="fold")
    for part in parts:
        seconds = "–" if part.seconds is None else f"{part.seconds:.0f}"
        drawn.add_row(
            words(part.label),
            f"{part.rows:,}",
            f"{part.cells:,}",
            f"{part.kept:,}",
            seconds,
            _left(part.left, dollars),
            words(part.source),
        )
    known = [part.left for part in parts if part.left is not None]
    cells, kept = sum(part.cells for part in parts), sum(part.kept for part in parts)
    unknown = "" if len(known) == len(parts) else " and more"
    drawn.add_row(
        "together", "", f"{cells:,}", f"{kept:,}", "", _left(sum(known), dollars) + unknown if known else "–", ""
    )
    return drawn


def _left(seconds: float | None, dollars: Callable[[float], float | None]) -> str:
    if seconds is None:
        return "–"
    time = f"{seconds:.0f} s"
    if seconds >= 5400:
        time = f"{seconds / 3600:.1f} h"
    elif seconds >= 90:
        time = f"{seconds / 60:.0f} min"
    money = dollars(seconds)
    return time if money is None else f"{time}, {money:.2f} dollars"


def differences(title: str, rows: tuple[str, str], lines: Sequence[tuple[str, float, float, str]]) -> Grid:
    """A table of queries: id, the values of both rows, their difference, the query's text."""
    drawn = empty_grid(title)
    drawn.add_column("query", overflow="fold")
    for head in (*rows, "difference"):
        drawn.add_column(words(head), justify="right")
    drawn.add_column("text", overflow="fold")
    for query, one, other, text in lines:
        drawn.add_row(words(query), formats.score(one), formats.score(other), f"{one - other:+.4f}", words(text))
    return drawn
