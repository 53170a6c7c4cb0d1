"""The board as HTML without scripts and styles of its own, for notebooks."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from harness.base.plain import one_line
from harness.report import across_columns, columns
from harness.report.across import Across
from harness.report.board import Table
from harness.report.column import Column, Row
from harness.report.notes import notes_of


def as_html(tables: Sequence[Table], over: Across | None = None) -> str:
    """Tables with captions: across datasets if there are several, then one per dataset with its notes.

    Args:
        tables: one per dataset.
        over: the table across them.
    """
    parts = []
    if over is not None:
        shown = across_columns.across_columns(over, "markdown")
        body = [_row(row.name, "", shown, row) for row in over.rows]
        body += [_row(row.name, " (not measured here)", shown, row, plain=True) for row in over.published]
        parts.append(_table(f"{over.measure} across datasets", shown, body))
    for table in tables:
        of_table = columns.columns_of(table, "markdown")
        lines = [_row(line.row, "" if line.ok else f" ({line.first.status})", of_table, line) for line in table.lines]
        facts = table.first.dataset
        caption = f"{table.dataset}: {facts['documents']:,} documents, {facts['queries']:,} queries"
        notes = "".join(f"<li>{escape(one_line(note))}</li>" for note in notes_of(table))
        parts.append(_table(caption, of_table, lines) + (f"<ul>{notes}</ul>" if notes else ""))
    return "\n".join(parts)


def _table(caption: str, shown: Sequence[Column[Row]], rows: Sequence[str]) -> str:
    head = "".join(f'<th title="{escape(column.title)}">{escape(column.heading)}</th>' for column in shown)
    return (
        f"<table><caption>{escape(one_line(caption))}</caption><thead><tr><th>row</th>{head}</tr></thead>"
        f"<tbody>{''.join(rows)}</tbody></table>"
    )


def _row(name: str, mark: str, shown: Sequence[Column[Row]], row: Row, *, plain: bool = False) -> str:
    """A row of a table; the best values in bold unless it is `plain`."""
    cells = []
    for column in shown:
        text = column.text(row)
        bold = text == column.best and not plain
        cells.append(f"<td><b>{escape(text)}</b></td>" if bold else _cell("td", text))
    return f"<tr><td><code>{escape(one_line(name))}</code>{escape(mark)}</td>{''.join(cells)}</tr>"


def _cell(tag: str, text: str) -> str:
    return f"<{tag}>{escape(one_line(text))}</{tag}>"
