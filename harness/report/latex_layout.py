"""How text is set in LaTeX: escaped, broken or turned if it is long, and how many columns fit on a page."""

from __future__ import annotations

import re
from collections.abc import Sequence

from markupsafe import Markup

from harness.base.plain import plain

SPECIAL = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "–": "--",
    "≥": r"$\geq$",
    "≤": r"$\leq$",
    "→": r"$\rightarrow$",
    "×": r"$\times$",
    "·": r"$\cdot$",
    "|": r"\textbar{}",
    '"': r"\char34{}",
    "`": r"\`{}",
    "−": "$-$",
    **{c: rf"\{c}" for c in "&%$#_{}"},
}
LONGEST, WIDTH = 28, "11em"
"""Characters of a row's name beyond which it is broken, and the width it then has."""
NARROW, NARROWER = 20, "10em"
"""The same in the tables across datasets."""
RAGGED = Markup(r"\raggedright ")
SHORT, TALL = 6, "8em"
"""Characters of a dataset's name beyond which its heading is turned, and the height it then has."""
ROOM = 240.0
"""Points next to the names in a text of 345 points, as `article` has it at 10 points."""

Panel = list[tuple[Markup, list[Markup]]]
"""Headings and cells of the columns that fit on a page."""


def latex(source: str) -> Markup:
    """LaTeX source. Text from data must go through `escaped` first."""
    return Markup(source)  # noqa: S704


def escaped(text: str) -> Markup:
    """Text that LaTeX sets as it is; a letter outside ASCII and Latin needs an engine that reads UTF-8 (all since
    2018).
    """
    return latex(re.sub(r"\s+", " ", "".join(SPECIAL.get(c, c) for c in plain(text))))


def breakable(source: Markup) -> Markup:
    """LaTeX that may be broken after what separates the parts of a name."""
    return latex(re.sub(r"([(,=+/.-]|\\_|\\textgreater\{\}(?!\\textgreater))", r"\1\\allowbreak{}", source))


def row_name(name: str) -> Markup:
    """A row's name, as code."""
    return latex(rf"\texttt{{{escaped(name)}}}")


def row_names(names: Sequence[str], longest: int = LONGEST) -> list[Markup]:
    """The cells of rows' names: if one is long, all may be broken, as their column is narrower than they are."""
    cells = [row_name(name) for name in names]
    if all(len(name) <= longest for name in names):
        return cells
    return [RAGGED + breakable(cell) for cell in cells]


def turned(dataset: str) -> Markup:
    """The heading of a dataset's column, vertical if it is long."""
    if len(dataset) <= SHORT:
        return escaped(dataset)
    return latex(rf"\rotatebox{{90}}{{\parbox{{{TALL}}}{{{RAGGED}{breakable(escaped(dataset))}}}}}")


def panels(columns: Panel) -> list[Panel]:
    """The columns in their order, as many together as fit on a page."""
    found: list[Panel] = [[]]
    left = ROOM
    for heading, cells in columns:
        measured = cells if heading.startswith(r"\rotatebox") else (heading, *cells)
        width = max(map(_width, measured))
        if width > left and found[-1]:
            found.append([])
            left = ROOM
        found[-1].append((heading, cells))
        left -= width
    return found


def _width(cell: str) -> float:
    """Points that a cell takes at 8 points, the space next to it included; letters and digits are taken as wide as bold
    digits.
    """
    text = re.sub(r"\\[a-z]+|[{}$^\\]", "", cell)
    return 6 + sum(4.9 if c.isalnum() else 2.7 for c in text)
