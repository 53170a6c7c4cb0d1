"""The board as Markdown.

Text from data goes through `code` (names) or `escaped` (sentences with names between backticks), so that it makes no
element: no tag, link, image, emphasis, heading or table.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from harness.base.plain import one_line
from harness.report import across_columns, beyond_columns, columns
from harness.report.across import Across, across
from harness.report.board import Line, Table
from harness.report.column import Column, Row
from harness.report.notes import notes_of

NOT_MEASURED: Final = " *(not measured here)*"


def leaderboard(tables: Sequence[Table], over: Across | None = None, left_out: Sequence[str] = ()) -> str:
    """The whole page: one table across datasets if there are several, and one per dataset. The same bytes for the same
    records.

    Args:
        tables: one per dataset.
        over: the table across them with its comparison; None makes it from the tables alone.
        left_out: sentences on records that could not be read.
    """
    parts = ["# Leaderboard", columns.explanation(), *_listed(left_out)]
    over = over or across(tables)
    if over is not None:
        parts.append(f"## {escaped(over.measure)} across datasets")
        parts += [f"{across_columns.EXPLAINED} {beyond_columns.EXPLAINED}"] if over.has_intervals else []
        parts += [_across(over), *_listed(over.notes)]
    for table in tables:
        parts += [f"## {escaped(table.dataset)}", _facts(table), _table(table), *_legend(table)]
        parts += _listed(notes_of(table))
    if not tables:
        parts.append("No records yet: `harness run` creates them.")
    return "\n\n".join(parts) + "\n"


def _legend(table: Table) -> list[str]:
    """What names stand for that do not have everything of their expressions."""
    if not table.legend:
        return []
    return ["Names: " + "; ".join(f"{code(name)} is {code(row)}" for name, row in table.legend) + "."]


def _listed(sentences: Sequence[str]) -> list[str]:
    """The sentences as one list; nothing if there are none."""
    return ["\n".join(f"- {escaped(sentence)}" for sentence in sentences)] if sentences else []


def _facts(table: Table) -> str:
    dataset = table.first.dataset
    machines = sorted({_machine(line) for line in table.lines if line.ok})
    made = f" Made on {'; '.join(machines)}." if machines else ""
    power = escaped(f" By {table.measures[0]}, {table.power}.") if table.power else ""
    power += escaped(f" {table.ties}") if table.ties else ""
    return (
        f"{dataset['documents']:,} documents, {dataset['queries']:,} queries, {dataset['judgements']:,} judgements; "
        f"revision {code(dataset['revision'][:12])}.{made}{power}"
    )


def _machine(line: Line) -> str:
    machine = line.first.provenance.get("machine") or {}
    device = line.first.provenance.get("device") or "cpu"
    cores = f"{machine.get('cores', '?')} cores of {machine.get('processor', '?')}"
    return escaped(cores if device == "cpu" else f"{cores} and {device}")


def _table(table: Table) -> str:
    shown = columns.columns_of(table, "markdown")
    rows = []
    for line in table.lines:
        seeds = f" ({len(line.records)} seeds)" if len(line.records) > 1 else ""
        status = "" if line.ok else f" *({line.first.status})*"
        rows.append([f"{code(line.row)}{seeds}{status}", *_cells(shown, line)])
    for name, scores in table.published_rows:
        cells = [scores[column.measure] if column.measure else column.published for column in shown]
        rows.append([f"{code(name)}{NOT_MEASURED}", *cells])
    return grid(["row", *_headings(shown)], rows, words=[i for i, c in enumerate(shown, 1) if c.kind == "words"])


def _across(over: Across) -> str:
    shown = across_columns.across_columns(over, "markdown")
    shown += (*across_columns.AGAINST, *beyond_columns.more_columns(over)) if over.compared else ()
    rows = [[code(row.name), *_cells(shown, row)] for row in over.rows]
    rows += [[f"{code(row.name)}{NOT_MEASURED}", *(column.text(row) for column in shown)] for row in over.published]
    return grid(["row", *_headings(shown)], rows)


def _headings(columns: Sequence[Column[Row]]) -> list[str]:
    return [escaped(column.heading) for column in columns]


def _cells(columns: Sequence[Column[Row]], row: Row) -> list[str]:
    texts = [column.text(row) for column in columns]
    return [
        f"**{text}**" if text == column.best else escaped(text) for column, text in zip(columns, texts, strict=True)
    ]


def grid(head: Sequence[str], rows: Sequence[Sequence[str]], words: Sequence[int] = ()) -> str:
    """A pipe table, padded so that it is readable as text too.

    Args:
        head: the headings; that of the rows' names first.
        rows: the cells of each.
        words: numbers of the columns that are aligned left, as the first is; the others are aligned right.
    """
    cells = [[_cell(c) for c in row] for row in (head, *rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(head))]
    left = [i == 0 or i in words for i in range(len(head))]

    def line(row: Sequence[str]) -> str:
        padded = [c.ljust(w) if words else c.rjust(w) for c, w, words in zip(row, widths, left, strict=True)]
        return f"| {' | '.join(padded)} |"

    rules = ["-" * (w + 2) if words else "-" * (w + 1) + ":" for w, words in zip(widths, left, strict=True)]
    return "\n".join([line(cells[0]), f"|{'|'.join(rules)}|", *map(line, cells[1:])])


def _cell(text: str) -> str:
    return one_line(text).replace("|", "&#124;")  # `code` leaves none


def code(text: str) -> str:
    """Inline code, fenced by more backticks than the text holds in a row; as HTML with a `|`, which would end a
    cell.
    """
    text = one_line(text) or " "
    if "|" in text:
        return f"<code>{''.join(c if c.isalnum() or c in ' /' else f'&#{ord(c)};' for c in text)}</code>"
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence, pad = "`" * (longest + 1), " " if longest else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def escaped(text: str) -> str:
    """A sentence in which what is between backticks is code and everything else is text."""
    parts = re.split("`([^`]+)`", one_line(text))
    return "".join(code(part) if i % 2 else _text(part) for i, part in enumerate(parts))


def _text(text: str) -> str:
    """Text in which nothing is Markdown or HTML: tags, entities, links, emphasis, code, mathematics."""
    return re.sub(_SPECIAL, lambda found: _ENTITIES.get(found.group(), f"\\{found.group()}"), text)


_ENTITIES = {"<": "&lt;", "&": "&amp;"}
_SPECIAL = r"[<\\`*~$]|\](?=[(\[:])|&(?=#?\w+;)|(?<![^\W_])_|_(?![^\W_])"
"""Of `]` those that a link's target would follow, of `_` those at the border of a word; elsewhere they are text."""
