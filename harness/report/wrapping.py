"""Text broken into lines at the ends of words, so that no number and no name is cut."""

from __future__ import annotations

import re

from rich.cells import cell_len, chop_cells

_INSIDE = re.compile(r"(?<=>>)|(?<=\w[+/(])(?=[^\W\d])")
"""Where a word that is wider than a line is broken: after what separates the parts of a row's name; not in a number."""


def wrapped(text: str, width: int) -> list[str]:
    """Lines of at most `width` columns of a terminal; a word that is wider than a line is broken anywhere.

    Args:
        text: one paragraph, without control characters.
        width: of a line, at least 2: some characters take two columns.
    """
    lines = [""]
    for word in text.split():
        if cell_len(word) <= width:
            _add(lines, " ", word, width)
            continue
        for i, part in enumerate(_INSIDE.split(word)):
            _add(lines, "" if i else " ", part, width)
    return lines


def _add(lines: list[str], space: str, word: str, width: int) -> None:
    """Puts a word at the end of the last line, or into lines of its own."""
    space = space if lines[-1] else ""
    if cell_len(lines[-1] + space + word) <= width:
        lines[-1] += space + word
        return
    parts = chop_cells(word, width)
    lines[-1:] = [*lines[-1:], *parts] if lines[-1] else parts


def widest_word(text: str) -> int:
    """Columns of the widest part of a text that is broken nowhere."""
    return max((cell_len(part) for word in text.split() for part in _INSIDE.split(word)), default=0)


def paragraph(text: str, width: int, first: str = "", rest: str | None = None) -> list[str]:
    """Lines of a paragraph with an indent.

    Args:
        text: the paragraph.
        width: of the lines with their indents.
        first: before the first line.
        rest: before the others; None for spaces.
    """
    if cell_len(first + text) <= width:
        return [f"{first}{text}"]
    others = " " * cell_len(first) if rest is None else rest
    lines = wrapped(text, max(2, width - max(cell_len(first), cell_len(others))))
    return [f"{first if i == 0 else others}{line}" for i, line in enumerate(lines)]
