"""The tables across datasets in a terminal."""

from __future__ import annotations

from rich.table import Table as Grid
from rich.text import Text

from harness.base.plain import one_line
from harness.report.across import Across
from harness.report.across_columns import AGAINST, across_columns
from harness.report.beyond_columns import BEYOND, ON_NEW
from harness.report.terminal_cells import cells, empty_grid, words


def across_grids(over: Across, most: int | None = None) -> list[Grid]:
    """The table across datasets, and below it, so that both fit, each row against the first; `most` rows of each."""
    scores = empty_grid(f"{over.measure} across datasets")
    against = empty_grid(f"against {over.baseline}")
    beyond = empty_grid(f"against {over.baseline} for other collections, and costs")
    new = empty_grid("on new documents")
    compared = over.compared
    for drawn, columns, rows in (
        (scores, across_columns(over, "terminal"), over.rows),
        (against, AGAINST, compared),
        (beyond, BEYOND, compared),
        (new, ON_NEW, tuple(row for row in over.rows if row.on_new)),
    ):
        drawn.add_column("row", overflow="fold")
        for column in columns:
            heading = Text(one_line(column.heading).replace("/", "/\n") if drawn is scores else column.heading)
            if drawn is new:
                heading = Text(column.heading.removeprefix("new docs: "))
            drawn.add_column(heading, justify="right", no_wrap=True)
        for row in rows[:most]:
            drawn.add_row(words(row.name), *cells(columns, row))
    return [scores, *([against, beyond] if compared else []), *([new] if over.has_new else [])]
