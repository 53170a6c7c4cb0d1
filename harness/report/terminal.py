"""The board in a terminal: a sheet for each dataset and one across them, the verdict first, notes last."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.console import Console
from rich.text import Text

from harness.report import csv, formats, markdown
from harness.report.across import Across, across
from harness.report.across_columns import AGAINST, across_columns
from harness.report.beyond_columns import BEYOND, ON_NEW
from harness.report.board import Table
from harness.report.column import Column, Row
from harness.report.columns import columns_of
from harness.report.headline import across_verdict, verdict
from harness.report.notes import notes_of
from harness.report.sheet import Field, Sheet
from harness.report.sheet_fields import difference_fields, interval_fields, rank_fields
from harness.report.sheet_formats import Shown
from harness.report.sheets import show as show_sheets
from harness.statistics.family import Difference

WRITERS: dict[str, Callable[[Sequence[Table], Across | None], str]] = {
    "md": markdown.leaderboard,
    "csv": lambda tables, _: csv.leaderboard(tables),
}
"""The formats that are the files of the leaderboard."""
MOST_ROWS = 300
"""Of all tables together; where there are more, each shows its best, and the files have all."""
FEWEST_ROWS = 10
"""Of a table, which are shown in any case."""


def show(
    tables: Sequence[Table],
    console: Console,
    over: Across | None = None,
    format: str = "text",
    *,
    verbose: bool = False,
) -> None:
    """Prints one table per dataset and one across them, best values bold, and notes below all.

    Args:
        tables: one per dataset.
        console: where to.
        over: the table across them with its comparison; None makes it from the tables alone.
        format: see `harness.report.sheets.show`.
        verbose: all rows and notes.
    """
    if console.quiet:  # the tables would be laid out all the same
        return
    if format in WRITERS:
        console.print(Text(WRITERS[format](tables, over).rstrip("\n")), soft_wrap=True)
        return
    show_sheets(console, shown(tables, over, verbose=verbose or format != "text"), format, verbose=verbose)


def shown(tables: Sequence[Table], over: Across | None = None, *, verbose: bool = False) -> Shown:
    """The sheets of a board.

    Args:
        tables: one per dataset.
        over: the table across them with its comparison; None makes it from the tables alone.
        verbose: all rows and notes.
    """
    over = over or across(tables)
    most = None if verbose else _most(tables)
    sheets = [table_sheet(table, most, verbose=verbose) for table in tables]
    sentences: list[str] = []
    if over is not None:
        sheets.append(across_sheet(over, most, whole=not verbose))
        sentences = [sentence] if (sentence := across_verdict(over)) else []
    return Shown(sheets, sentences)


def _most(tables: Sequence[Table]) -> int | None:
    """Rows that each table shows; None if all tables are short enough."""
    if sum(len(table.lines) for table in tables) <= MOST_ROWS:
        return None
    return max(FEWEST_ROWS, MOST_ROWS // len(tables))


def table_sheet(table: Table, most: int | None = None, *, verbose: bool = True) -> Sheet:
    """A dataset's table: at most `most` rows of it, with all notes or those that differ in more than numbers."""
    columns = columns_of(table, "terminal")
    lines = table.lines[:most]
    published = table.published_rows
    names = [*(line.row for line in lines), *(name for name, _ in published)]
    labels = [line.row if line.ok else f"{line.row} ({line.first.status})" for line in lines]
    rows = [line.expression for line in lines]
    fields = [Field("name", "row", names, [*labels, *(name for name, _ in published)], right=False)]
    fields.append(Field.hidden("row", [*rows, *(name for name, _ in published)]))
    for column in columns:
        more = [scores[column.measure] if column.measure else column.published for _, scores in published]
        fields += _fields(column, lines, more)
    dataset = table.first.dataset
    notes = _cut(table, most)
    if table.ties:
        notes.append(table.ties)
    if table.power:
        notes.append(f"By {table.measures[0]}, {table.power}.")
    return Sheet(
        table.dataset,
        fields,
        f"{dataset['documents']:,} documents, {dataset['queries']:,} queries",
        verdict(table),
        ["" if line.ok else "yellow" for line in lines] + ["dim"] * len(published),
        _groups(table, len(lines)),
        table.legend,
        [*notes, *notes_of(table, aggregated=not verbose)],
    )


def _cut(table: Table, most: int | None) -> list[str]:
    if most is None or len(table.lines) <= most:
        return []
    return [f"the best {most} of {len(table.lines):,} rows; -v, leaderboard.md and leaderboard.html have all"]


def _groups(table: Table, shown: int) -> list[int]:
    """Lines above the rows that are not tied with the best, and above what was not measured here."""
    tied = [i == 0 or (line.position is not None and line.position.tied) for i, line in enumerate(table.lines)]
    first = tied.index(False) if False in tied else len(tied)
    compared = bool(table.lines) and table.lines[0].position is not None
    groups = [first] if compared and not any(tied[first:]) and 0 < first < shown else []
    return [*groups, shown] if table.published else groups


def across_sheet(over: Across, most: int | None = None, *, whole: bool = False) -> Sheet:
    """The table across datasets, with each row against the first.

    Args:
        over: the table.
        most: rows that are shown.
        whole: leave out rows without a score on every dataset, if some have them.
    """
    columns = [*across_columns(over, "terminal"), *((*AGAINST, *BEYOND) if over.compared else ())]
    columns += ON_NEW if over.has_new else ()
    complete = [row for row in over.rows if row.mean is not None]
    rows = (complete if whole and complete else over.rows)[:most]
    notes = list(over.notes)
    if len(rows) < len(over.rows):
        left_out = len(over.rows) - len(rows)
        notes.append(f"{left_out} more {'row' if left_out == 1 else 'rows'}, without a mean or further below: -v")
    published = [row for row in over.published if row.mean is not None or not (whole and complete)]
    names = [row.name for row in (*rows, *published)]
    fields = [Field("name", "row", names, names, right=False)]
    for column in columns:
        fields += _fields(column, rows, [column.text(row) for row in published])
    return Sheet(
        f"{over.measure} across datasets",
        fields,
        marks=[""] * len(rows) + ["dim"] * len(published),
        groups=[len(rows)] if published else [],
        notes=notes,
        key="across",
    )


def _fields(column: Column[Row], rows: Sequence[Row], more: Sequence[str]) -> list[Field]:
    """A column of the boards as a column of a sheet, and its numbers for CSV and JSON if it has several.

    Args:
        column: as the boards declare it.
        rows: that have it.
        more: cells of published scores, below them.
    """
    values = [column.value(row) for row in rows]
    blank: list[None] = [None] * len(more)
    plain = all(value is None or isinstance(value, int | float | str) for value in values)
    shown = Field(
        column.heading if plain else "",
        column.heading,
        [*values, *(_number(text) for text in more)],
        [*(column.text(row) for row in rows), *more],
        right=column.kind in ("number", "interval"),
        importance=column.importance,
        best=column.best,
    )
    if column.kind == "interval":
        return [shown, *interval_fields([*values, *blank])[1:]]
    if any(isinstance(value, Difference) for value in values):
        differences = [value if isinstance(value, Difference) else None for value in values]
        return [shown, *difference_fields([*differences, *blank])[1:]]
    if column.kind == "rank":
        ranks = [value and value.ranks for value in values]
        return [shown, *rank_fields([*ranks, *blank], [*(value and value.tied for value in values), *blank])]
    return [shown]


def _number(text: str) -> float | str | None:
    try:
        return float(text)
    except ValueError:
        return None if text == formats.MISSING else text
