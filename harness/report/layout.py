"""A sheet in a terminal: which columns fit, and its lines.

No number is cut and no name is lost at any width from 60 columns on. If the columns do not fit, the least important
leave; if those that must stay do not fit, they follow each other in several tables. A name that is wider than its
column has a line of its own above the row's values.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.text import Text

from harness.base.plain import one_line
from harness.report.sheet import ESSENTIAL, Field, Sheet
from harness.report.wrapping import paragraph, widest_word, wrapped

GAP = 2
"""Spaces between columns."""
NAMES = 0.42
"""Share of the width that names may take before columns leave for them."""
MOST_OF_NAMES = 0.85
"""Share of the rows whose names are to fit into the column of names."""
LEAST_NAMES = 12
"""Columns of the names, if nothing else can leave."""
LEAST_WORDS, MOST_WORDS = 18, 30
"""Columns that a cell with a sentence has at least, or more for long words."""


@dataclass(frozen=True)
class Layout:
    """How a sheet fits.

    Args:
        panels: the columns shown next to each other, after the names; several panels are shown one after the other.
        names: width of the names in each panel.
        left_out: headings of the columns that do not fit.
    """

    panels: tuple[tuple[Field, ...], ...]
    names: tuple[int, ...]
    left_out: tuple[str, ...]


def layout(sheet: Sheet, width: int) -> Layout:
    """Which columns fit into so many columns of a terminal."""
    lengths = sorted(cell_len(text) for text in (sheet.fields[0].heading, *sheet.fields[0].texts))
    usual, longest = lengths[min(len(lengths) - 1, int(MOST_OF_NAMES * len(lengths)))], lengths[-1]
    wanted = min(usual, max(LEAST_NAMES, int(NAMES * width)))
    kept = list(sheet.visible[1:])
    while wanted + _taken(kept) > width and any(field.importance for field in kept):
        least = max(field.importance for field in kept)
        kept.remove(next(field for field in reversed(kept) if field.importance == least))
    left_out = tuple(field.heading for field in sheet.visible[1:] if field not in kept)
    panels = _panels(kept, width - min(wanted, LEAST_NAMES))
    names = tuple(max(min(LEAST_NAMES, longest), min(longest, width - _taken(panel))) for panel in panels)
    return Layout(tuple(map(tuple, panels)), names, left_out)


def _panels(fields: Sequence[Field], room: int) -> list[list[Field]]:
    panels: list[list[Field]] = [[]]
    for field in fields:
        if panels[-1] and _taken([*panels[-1], field]) > room:
            panels.append([])
        panels[-1].append(field)
    return panels


def _taken(fields: Sequence[Field]) -> int:
    """Columns that fields take, with the gaps before them."""
    return sum(GAP + _least(field) for field in fields)


def _least(field: Field) -> int:
    """The least width of a column: that of its widest cell, or of a few words."""
    heading = widest_word(field.heading)
    cells = max((cell_len(text) for text in field.texts), default=0)
    if not field.wraps:
        return max(heading, cells)
    words = min(MOST_WORDS, max((widest_word(text) for text in field.texts), default=0))
    return max(heading, min(cells, max(LEAST_WORDS, words)))


def _widths(fields: Sequence[Field], room: int) -> list[int]:
    """The width of each column; columns of words share what is left."""
    widths = [_least(field) for field in fields]
    left = room - sum(widths) - GAP * len(fields)
    for i, field in enumerate(fields):
        full = max((cell_len(text) for text in (field.heading, *field.texts)), default=0)
        if field.wraps and full > widths[i]:
            more = max(0, min(full - widths[i], left))
            widths[i], left = widths[i] + more, left - more
    return widths


def lines(sheet: Sheet, width: int) -> list[Text]:
    """The lines of a sheet's table, without its title and notes."""
    fit = layout(sheet, width)
    shown: list[Text] = []
    for panel, names in zip(fit.panels, fit.names, strict=True):
        if shown:
            shown.append(Text(""))
        shown += _panel(sheet, panel, names, width)
    return [_stripped(line) for line in shown]


def _panel(sheet: Sheet, fields: Sequence[Field], names: int, width: int) -> Iterator[Text]:
    first = sheet.fields[0]
    widths = _widths(fields, width - names)
    headings = [wrapped(one_line(f.heading), w) for f, w in zip(fields, widths, strict=True)]
    headings = [wrapped(first.heading, names), *headings]
    height = max(map(len, headings))
    columns = [first, *fields]
    bottom = [[""] * (height - len(heading)) + heading for heading in headings]
    if any(field.heading for field in columns):
        yield from _blocks([(block, "bold") for block in bottom], columns, [names, *widths])
    for row in range(sheet.rows):
        style = sheet.mark(row)
        if row in sheet.groups:
            yield Text("─" * (names + sum(widths) + GAP * len(widths)), "dim")
        name = one_line(first.texts[row])
        cells = []
        for field, room in zip(fields, widths, strict=True):
            text = one_line(field.texts[row])
            best = text == field.best
            cells.append((wrapped(text, room) if field.wraps else [text], "bold green" if best else style))
        if cell_len(name) > names:
            yield from (Text(line, style) for line in paragraph(name, width, rest="  "))
            name = ""
        yield from _blocks([([name], style), *cells], columns, [names, *widths])


def _blocks(
    cells: Sequence[tuple[Sequence[str], str]], fields: Sequence[Field], widths: Sequence[int]
) -> Iterator[Text]:
    """The lines of a row whose cells may have several."""
    for number in range(max(len(block) for block, _ in cells)):
        line = Text()
        for i, ((block, style), field, width) in enumerate(zip(cells, fields, widths, strict=True)):
            text = block[number] if number < len(block) else ""
            space = " " * (width - cell_len(text))
            right = i > 0 and field.right
            line.append(" " * GAP if i else "").append(space if right else "").append(text, style)
            line.append("" if right else space)
        yield line


def _stripped(line: Text) -> Text:
    line.rstrip()
    return line


__all__ = ["ESSENTIAL", "Layout", "layout", "lines"]
