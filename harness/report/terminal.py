"""The board in a terminal. Cells are `Text`: what is in a name is never markup (`harness.report.screen` has the
rest).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.console import Console
from rich.table import Table as Grid
from rich.text import Text

from harness.base.plain import one_line
from harness.compare.decision import Decision
from harness.report.board import COSTS, Across, Line, Table, across, costs, figure
from harness.report.decision import board
from harness.report.intervals import ACROSS, AGAINST, STANDING, against, placed_cells
from harness.report.sweep import board as sweep_board
from harness.sweep.estimate import Planned
from harness.sweep.result import SweepResult

MOST_ROWS = 300
"""Of all tables together; where there are more, each shows its best, and the files have all."""
FEWEST_ROWS = 10
"""Of a table, which are shown in any case."""
WIDE = 140
"""Columns of a terminal that the cost columns need to be readable."""
GAP, MIDDLE = 32, 112
"""Columns that the differences from the best take, and from how many on they are shown."""


def show(found: Sequence[Table], console: Console, over: Across | None = None) -> None:
    """Prints one table per dataset and one across them, best values bold, and what a reader must know below each.

    Args:
        found: the tables.
        console: where to.
        over: the table across them with its standing; None takes it from the tables alone.
    """
    if console.quiet:  # rich would lay out everything all the same
        return
    most = _most(found)
    for table in found:
        wide = WIDE + GAP * table.stands
        console.print(grid(table, costs_shown := console.width >= wide, console.width >= MIDDLE, most))
        if most is not None and len(table.lines) > most:
            _note(
                console, f"the best {most} of {len(table.lines):,} rows; leaderboard.md and leaderboard.html have all"
            )
        if not costs_shown:
            more = "differences from the best, and what" if table.stands and console.width < MIDDLE else "what"
            _note(console, f"a terminal of {wide} columns or more shows {more} each row costs")
        if table.seen:
            _note(console, f"{table.measures[0]}: {table.seen}")
        for note in table.notes:
            _note(console, note)
        console.print()
    over = over or across(found)
    if over is not None:
        for drawn in across_grids(over, most):
            console.print(drawn)
            console.print()
        for note in over.notes:
            _note(console, note)


def _most(found: Sequence[Table]) -> int | None:
    """Rows that each table shows; None where there are few enough for all."""
    if sum(len(table.lines) for table in found) <= MOST_ROWS:
        return None
    return max(FEWEST_ROWS, MOST_ROWS // len(found))


def _note(console: Console, text: str) -> None:
    console.print(_words(f"  {text}", "dim"))


def _words(text: str, style: str = "") -> Text:
    return Text(one_line(text), style)


def _grid(title: str, more: str = "") -> Grid:
    """An empty table; what is `more` in the title is dim."""
    head = Text.assemble(_words(title), _words(f" {more}" if more else "", "dim"), style="table.title")
    return Grid(title=head, title_justify="left", header_style="bold", box=None, pad_edge=False)


def _figure(text: str, best: bool) -> Text:
    return Text.assemble((text, "bold green" if best else ""))  # a style of the whole would colour the padding too


def across_grids(over: Across, most: int | None = None) -> list[Grid]:
    """The table across datasets, and below it, so that both fit, each row against the first; `most` rows of each."""
    figures = _grid(f"{over.measure} across datasets")
    figures.add_column("row", overflow="fold")
    for dataset in over.datasets:
        figures.add_column(Text(one_line(dataset).replace("/", "/\n")), justify="right", no_wrap=True)
    for head in ("mean", *(ACROSS if over.stands else ())):
        figures.add_column(head, justify="right", no_wrap=True)
    best = over.best
    for name, values in over.rows[:most]:
        shown = [figure(value) for value in (*values, Across.mean(values))]
        bold = [_figure(text, text == top) for text, top in zip(shown, best, strict=True)]
        figures.add_row(_words(name), *bold, *over.cells(name)[: len(ACROSS)])
    if not over.compared:
        return [figures]
    first = next(name for name, placed in over.standing.items() if placed.against is None)
    held = _grid(f"against {first}")
    held.add_column("row", overflow="fold")
    for head in AGAINST:
        held.add_column(head, justify="right", no_wrap=True)
    for name, placed in [*over.standing.items()][:most]:
        if placed.against is not None:
            held.add_row(_words(name), *against(placed.against))
    return [figures, held]


def grid(table: Table, costs_shown: bool = True, gaps_shown: bool = True, most: int | None = None) -> Grid:
    """One dataset's table, with the cost columns or without, with the differences from the best or only who is tied
    with it.

    At most `most` rows of it.
    """
    standing = (STANDING if gaps_shown else ACROSS) if table.stands else ()
    dataset = table.first.dataset
    drawn = _grid(table.dataset, f"({dataset['documents']:,} documents, {dataset['queries']:,} queries)")
    drawn.add_column("row", no_wrap=True)
    for i, measure in enumerate(table.measures):
        drawn.add_column(_words(measure), justify="right", no_wrap=True)
        for name in standing if i == 0 else ():
            drawn.add_column(name, justify="right" if name == STANDING[0] else "left", no_wrap=True)
    for i, name in enumerate(COSTS if costs_shown else ()):
        drawn.add_column(name, justify="left" if i == 0 else "right")
    for line in table.lines[:most]:
        figures = [figure(line.value(m)) for m in table.measures]
        best = [line.ok and f == table.best(m) for f, m in zip(figures, table.measures, strict=True)]
        shown = [_figure(text, top) for text, top in zip(figures, best, strict=True)]
        row = Text.assemble(_words(line.row), ("" if line.ok else f" ({line.first.status})", "yellow"))
        shown[1:1] = map(Text, _placed(line, gaps_shown)) if table.stands else ()
        drawn.add_row(row, *shown, *(map(_words, costs(line)) if costs_shown else ()))
    for title, published in table.beside:
        shown = [Text(value) for value in published]
        shown[1:1] = [Text("–")] * len(standing)
        others = ("published", *("–" for _ in COSTS[1:])) if costs_shown else ()
        drawn.add_row(_words(title), *shown, *others, style="dim")
    return drawn


def _placed(line: Line, gaps_shown: bool) -> tuple[str, ...]:
    """A row's interval, difference from the best and rank; without room for the difference, whether it is tied."""
    span, gap, rank = placed_cells(line.placed)
    tied = line.placed is not None and line.placed.behind is not None and line.placed.behind.tied
    return (span, gap, rank) if gaps_shown else (span, f"{rank} tied" if tied else rank)


def decision(dataset: str, found: Decision) -> Grid:
    """The rows of a decision: mean, interval, difference from the best, ranks, costs."""
    head, rows = board(found)
    drawn = _grid(dataset)
    for name in head:
        drawn.add_column(name, justify="left" if name == "row" else "right", no_wrap=name != "row", overflow="fold")
    for row in rows:
        drawn.add_row(*map(_words, row))
    return drawn


def sweep(found: SweepResult, most: int = 20) -> Grid:
    """The rows of a sweep on dev, the best of them, and the baselines."""
    head, rows = sweep_board(found)
    count = len(found.tried)
    drawn = _grid(found.dataset, f"(dev, {count:,} rows{f', the best {most}' if count > most else ''})")
    for i, name in enumerate(head):
        drawn.add_column(_words(name), justify="right" if i else "left", no_wrap=i > 0, overflow="fold")
    for i, row in enumerate(rows):
        if i < min(most, count) or i >= count:
            drawn.add_row(*map(_words, row), style="bold green" if row[-2] == "chosen" else None)
    return drawn


def planned(dataset: str, parts: Sequence[Planned], dollars: Callable[[float], float | None]) -> Grid:
    """What a sweep will take, a line for each part of it.

    Args:
        dataset: as asked for.
        parts: of the search.
        dollars: what so many seconds cost.
    """
    drawn = _grid(dataset)
    for i, name in enumerate(("part", "rows", "cells", "done", "seconds a cell", "left", "by")):
        drawn.add_column(name, justify="right" if 0 < i < 6 else "left", overflow="fold")
    for part in parts:
        seconds = "–" if part.seconds is None else f"{part.seconds:.0f}"
        drawn.add_row(
            _words(part.label),
            f"{part.rows:,}",
            f"{part.cells:,}",
            f"{part.kept:,}",
            seconds,
            _left(part.left, dollars),
            _words(part.source),
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
    told = (
        f"{seconds / 3600:.1f} h"
        if seconds >= 5400
        else f"{seconds / 60:.0f} min"
        if seconds >= 90
        else f"{seconds:.0f} s"
    )
    money = dollars(seconds)
    return told if money is None else f"{told}, {money:.2f} dollars"


def differences(title: str, rows: tuple[str, str], lines: Sequence[tuple[str, float, float, str]]) -> Grid:
    """A table of queries: id, the values of both rows, their difference, the query's text."""
    drawn = _grid(title)
    drawn.add_column("query", overflow="fold")
    for head in (*rows, "difference"):
        drawn.add_column(_words(head), justify="right")
    drawn.add_column("text", overflow="fold")
    for query, one, other, text in lines:
        drawn.add_row(_words(query), figure(one), figure(other), f"{one - other:+.4f}", _words(text))
    return drawn
