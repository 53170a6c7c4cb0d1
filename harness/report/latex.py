"""The board for papers: LaTeX tables with booktabs, groups of tied rows as superscripts.

The template is `assets/leaderboard.tex.jinja`. Whatever goes into it is either text, which `escaped` makes LaTeX, or
`Markup`, which is LaTeX already.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup

from harness.report.across import Across, AcrossRow, across
from harness.report.across_columns import AGAINST, across_columns
from harness.report.beyond_columns import BEYOND, ON_NEW
from harness.report.board import Line, Table
from harness.report.column import Column, Row
from harness.report.columns import columns_of
from harness.report.document_columns import paper_columns
from harness.report.latex_layout import (
    NARROW,
    NARROWER,
    RAGGED,
    WIDTH,
    Panel,
    breakable,
    escaped,
    latex,
    panels,
    row_name,
    row_names,
    turned,
)

SMALL = latex(r"\small\setlength{\tabcolsep}{4pt}")
SMALLER = latex(r"\footnotesize\setlength{\tabcolsep}{3pt}")


def leaderboard(tables: Sequence[Table], over: Across | None = None) -> str:
    """One table per dataset, and those across datasets if there are several. The same bytes for the same records.

    Args:
        tables: one per dataset.
        over: the table across them with its comparison; None makes it from the tables alone.
    """
    over = over or across(tables)
    return _template().render(
        over=over,
        panels=_across(over) if over else [],
        against=_against(over.compared, AGAINST, "against") if over and over.compared else None,
        beyond=_against(over.compared, BEYOND, "beyond") if over and over.compared else None,
        on_new=_against([row for row in over.rows if row.on_new], ON_NEW[:2], "new") if over and over.has_new else None,
        datasets=[_dataset(number, table) for number, table in enumerate(tables, start=1)],
    )


@cache
def _template() -> Template:
    environment = Environment(
        block_start_string="<%",
        block_end_string="%>",
        variable_start_string="<<",
        variable_end_string=">>",
        autoescape=True,  # macros give Markup; text becomes LaTeX in `finalize` and is Markup from there on
        finalize=_latex,
        undefined=StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(cells=_joined, unbroken=_unbroken, source=latex, row_name=row_name, breakable=breakable)
    return environment.from_string((files("harness.report") / "assets" / "leaderboard.tex.jinja").read_text("utf-8"))


def _latex(value: object) -> Markup:
    return value if isinstance(value, Markup) else escaped(str(value))


def _joined(cells: Iterable[object]) -> Markup:
    return Markup(" & ").join(map(_latex, cells))


def _unbroken(caption: Markup) -> Markup:
    return latex(re.sub(r"\s+", " ", caption.strip()))


def _dataset(number: int, table: Table) -> dict[str, Any]:
    """A dataset's table and what its caption names."""
    columns = columns_of(table, "latex")
    lines = [line for line in table.lines if line.ok]
    rows = []
    for line, name in zip(lines, row_names([line.row for line in lines]), strict=True):
        cells = [_cell(column, line) for column in columns]
        if table.has_intervals:
            cells[0] += _superscript(_letters(line, table))
        rows.append([name, *cells])
    published = []
    for (_, scores), name in zip(
        table.published_rows, row_names([row for row, _ in table.published_rows]), strict=True
    ):
        published.append([name, *(scores[c.measure] if c.measure else c.published for c in columns)])
    return {
        **_floated(f"board-{number}", ["row", *map(_heading, columns)], rows, published),
        "name": table.dataset,
        "queries": table.first.dataset["queries"],
        "measure": table.measures[0] if table.measures else "",
        "letters": any(_letters(line, table) for line in lines),
        "corrected": table.comparison.corrected if table.comparison else None,
        "left_out": [line.row for line in table.lines if not line.ok],
        "documents": _documents(number, table) if table.both_parts else None,
    }


def _documents(number: int, table: Table) -> dict[str, Any]:
    """The rows on old and on new documents."""
    columns = paper_columns(table)
    lines = [line for line in table.lines if line.position is not None]
    names = row_names([line.row for line in lines], NARROW)
    rows = [[name, *(_cell(column, line) for column in columns)] for name, line in zip(names, lines, strict=True)]
    return _floated(f"board-{number}-documents", ["row", *map(_heading, columns)], rows, size=SMALLER)


def _across(over: Across) -> list[dict[str, Any]]:
    """The scores, in as many tables as a page is too narrow for."""
    columns: Panel = []
    for column in across_columns(over, "latex"):
        cells = [_cell(column, row) for row in over.rows]
        if column.heading == "mean":
            cells = [cell + _superscript(over.letters(row)) for cell, row in zip(cells, over.rows, strict=True)]
        cells += [escaped(column.text(row)) for row in over.published]
        heading = turned(column.heading) if len(columns) < len(over.datasets) else _heading(column)
        columns.append((heading, cells))
    names = row_names([row.name for row in (*over.rows, *over.published)], NARROW)
    tables = []
    for number, panel in enumerate(panels(columns), start=1):
        headings, cells_of = zip(*panel, strict=True)
        label = "board-across" if number == 1 else f"board-across-{number}"
        rows = [list(row) for row in zip(names, *cells_of, strict=True)]
        measured = len(over.rows)
        tables.append(_floated(label, ["row", *headings], rows[:measured], rows[measured:], size=SMALLER))
    return tables


def _against(rows: Sequence[AcrossRow], columns: Sequence[Column[AcrossRow]], label: str) -> dict[str, Any]:
    """Rows compared with the first, in some columns."""
    names = row_names([row.name for row in rows], NARROW)
    cells = [[name, *(_cell(column, row) for column in columns)] for name, row in zip(names, rows, strict=True)]
    return _floated(f"board-across-{label}", ["row", *map(_heading, columns)], cells, size=SMALLER)


def _floated(
    label: str,
    head: Sequence[str],
    rows: Sequence[Sequence[str]],
    published: Sequence[Sequence[str]] = (),
    size: Markup = SMALL,
) -> dict[str, Any]:
    width = WIDTH if size == SMALL else NARROWER
    broken = any(row[0].startswith(RAGGED) for row in (*rows, *published))
    names = f"p{{{width}}}" if broken else "l"
    alignment = latex(names + "r" * (len(head) - 1))
    return {
        "label": label,
        "head": head,
        "rows": rows,
        "published": published,
        "size": size,
        "alignment": alignment,
    }


def _heading(column: Column[Any]) -> Markup:
    return latex(column.latex) if column.latex else escaped(column.heading)


def _cell(column: Column[Row], row: Row) -> Markup:
    text = column.text(row)
    shown = escaped(text)
    return latex(rf"\textbf{{{shown}}}") if text == column.best else shown


def _letters(line: Line, table: Table) -> tuple[str, ...]:
    """The groups of tied rows that a row is in."""
    if table.comparison is None or line.position is None:
        return ()
    return table.comparison.letters[line.position.place]


def _superscript(letters: Sequence[str]) -> Markup:
    """The letters of a row's groups; with commas if one is longer than a letter."""
    text = ("," if any(len(letter) > 1 for letter in letters) else "").join(letters)
    return latex(rf"$^{{\mathrm{{{text}}}}}$" if text else "")
