"""The board as Markdown.

Text from data goes through `code` (names) or `escaped` (sentences, in which names are between backticks), so that it
makes no
element: no tag, link, image, emphasis, heading or table.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from harness.base.plain import one_line
from harness.report.board import COSTS, Across, Line, Table, across, costs, figure
from harness.report.intervals import EXPLAINED, EXPLAINED_ACROSS, STANDING, placed_cells


def leaderboard(found: Sequence[Table], over: Across | None = None, left_out: Sequence[str] = ()) -> str:
    """The whole page: one table across datasets where there are several, one per dataset. The same bytes for the same
    records.

    Args:
        found: the tables.
        over: the table across them with its standing; None takes it from the tables alone.
        left_out: sentences on records that could not be read.
    """
    parts = ["# Leaderboard", EXPLAINED, *(["\n".join(f"- {escaped(told)}" for told in left_out)] if left_out else [])]
    over = over or across(found)
    if over is not None:
        parts += [
            f"## {escaped(over.measure)} across datasets",
            *([EXPLAINED_ACROSS] if over.stands else []),
            _across(over),
        ]
        parts += ["\n".join(f"- {escaped(note)}" for note in over.notes)] if over.notes else []
    for table in found:
        parts += [f"## {escaped(table.dataset)}", _facts(table), _table(table)]
        parts += ["\n".join(f"- {escaped(note)}" for note in table.notes)] if table.notes else []
    if not found:
        parts.append("No records yet: `harness run` makes some.")
    return "\n\n".join(parts) + "\n"


def _facts(table: Table) -> str:
    dataset = table.first.dataset
    machines = sorted({_machine(line) for line in table.lines if line.ok})
    made = f" Made on {'; '.join(machines)}." if machines else ""
    seen = escaped(f" By {table.measures[0]}, {table.seen}.") if table.seen else ""
    return (
        f"{dataset['documents']:,} documents, {dataset['queries']:,} queries, {dataset['judgements']:,} judgements; "
        f"revision {code(dataset['revision'][:12])}.{made}{seen}"
    )


def _machine(line: Line) -> str:
    machine = line.first.provenance.get("machine") or {}
    device = line.first.provenance.get("device") or "cpu"
    told = f"{machine.get('cores', '?')} cores of {machine.get('processor', '?')}" + (
        f" and {device}" if device != "cpu" else ""
    )
    return escaped(told)


def _table(table: Table) -> str:
    head = ["row", *map(escaped, table.measures), *COSTS]
    head[2:2] = STANDING if table.stands else ()
    rows = []
    for line in table.lines:
        seeds = f" ({len(line.records)} seeds)" if len(line.records) > 1 else ""
        figures = [
            _bold(figure(line.value(m)), line.ok and figure(line.value(m)) == table.best(m)) for m in table.measures
        ]
        status = "" if line.ok else f" *({line.first.status})*"
        cells = [f"{code(line.row)}{seeds}{status}", *figures, *map(escaped, costs(line))]
        cells[2:2] = placed_cells(line.placed) if table.stands else ()
        rows.append(cells)
    for row, figures in table.beside:
        cells = [f"{code(row)} *(not measured here)*", *figures, "published", *("–" for _ in COSTS[1:])]
        cells[2:2] = placed_cells(None) if table.stands else ()
        rows.append(cells)
    return grid(head, rows, left=head.index(COSTS[0]) + 1)


def _across(over: Across) -> str:
    rows = []
    for name, values in over.rows:
        shown = [figure(value) for value in (*values, Across.mean(values))]
        cells = [_bold(text, text == top) for text, top in zip(shown, over.best, strict=True)]
        rows.append([code(name), *cells, *over.cells(name)])
    return grid(["row", *map(escaped, over.datasets), *over.columns], rows, left=0)


def grid(head: Sequence[str], rows: Sequence[Sequence[str]], left: int) -> str:
    """A pipe table, numbers to the right, padded so that it reads as text too; column `left` (1-based) is words."""
    cells = [[_cell(c) for c in row] for row in (head, *rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(head))]
    words = [i == 0 or i == left - 1 for i in range(len(head))]

    def line(row: Sequence[str]) -> str:
        return (
            "| "
            + " | ".join(c.ljust(w) if t else c.rjust(w) for c, w, t in zip(row, widths, words, strict=True))
            + " |"
        )

    rule = "|" + "|".join("-" * (w + 2) if t else "-" * (w + 1) + ":" for w, t in zip(widths, words, strict=True)) + "|"
    return "\n".join([line(cells[0]), rule, *(line(row) for row in cells[1:])])


def _bold(text: str, on: bool) -> str:
    return f"**{text}**" if on else text


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
