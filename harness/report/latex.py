"""The board for papers: LaTeX tables with booktabs, groups of tied rows as superscripts."""

from __future__ import annotations

import re
from collections.abc import Sequence

from harness.base.plain import plain
from harness.report.board import Across, Table, across, figure
from harness.report.intervals import AGAINST, against

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
RAGGED = r"\raggedright "
SMALL, SMALLER = r"\small\setlength{\tabcolsep}{4pt}", r"\footnotesize\setlength{\tabcolsep}{3pt}"
SHORT, TALL = 6, "8em"
"""Characters of a dataset's name beyond which its head is turned, and the height it then has."""
ROOM = 240.0
"""Points beside the names in a text of 345 points, as `article` has it at 10 points."""
SIMULTANEOUS = r"simultaneous 95\,\% intervals, studentised bootstrap over queries,"
HEAD = r"""% Written by `harness leaderboard`. \usepackage{booktabs,graphicx} in the preamble; \input{leaderboard} in the text.
"""

Column = tuple[str, list[str]]
"""A head and its cells."""


def leaderboard(found: Sequence[Table], over: Across | None = None) -> str:
    """One table per dataset, and those across datasets where there are several. The same bytes for the same records.

    Args:
        found: the tables.
        over: the table across them with its standing; None takes it from the tables alone.
    """
    over = over or across(found)
    parts = [HEAD, *(_across(over) if over else []), *(_table(i, table) for i, table in enumerate(found, start=1))]
    return "\n".join(parts) if found else HEAD + "% No records yet: `harness run` makes some.\n"


def escaped(text: str) -> str:
    """Text that LaTeX sets as it is; a letter outside ASCII and Latin needs an engine that reads UTF-8 (all since 2018
    do).
    """
    return re.sub(r"\s+", " ", "".join(SPECIAL.get(c, c) for c in plain(text)))


def _table(number: int, table: Table) -> str:
    rows = []
    there = [line for line in table.lines if line.ok]
    for line, name in zip(there, _rows([line.row for line in there]), strict=True):
        cells = [name]
        for i, measure in enumerate(table.measures):
            shown = figure(line.value(measure)).replace("–", "--")
            shown = (
                rf"\textbf{{{shown}}}" if line.value(measure) is not None and shown == table.best(measure) else shown
            )
            if table.stands and i == 0:
                interval = line.interval
                cells.append(shown + _superscript(line.placed.letters if line.placed else ()))
                cells.append(f"[{interval.low:.3f}, {interval.high:.3f}]" if interval else "--")
            else:
                cells.append(shown)
        rows.append(cells)
    head = ["row", *map(escaped, table.measures)]
    head[2:2] = [r"95\,\%"] if table.stands else []
    told = [f"{escaped(table.dataset)}, {table.first.dataset['queries']:,} queries."]
    if table.standing:
        shared = f"Rows that share a superscript are tied by {escaped(table.measures[0])}"
        shared += f" ({SIMULTANEOUS} of {escaped(table.standing.corrected)})"
        told.append(f"{shared}; " if any(line.placed and line.placed.letters for line in there) else "")
        told[-1] += "intervals of the means by BCa bootstrap over queries."
    left_out = [_breakable(_row(line.row)) for line in table.lines if not line.ok]
    if left_out:
        told.append(f"Without figures: {', '.join(left_out)}.")
    others = []
    for (_, figures), name in zip(table.beside, _rows([row for row, _ in table.beside]), strict=True):
        cells = [name, *(shown.replace("–", "--") for shown in figures)]
        cells[2:2] = ["--"] if table.stands else []
        others.append(cells)
    if others:
        told.append("Below the second rule: figures published by others, not measured here and not compared.")
    return _floated(" ".join([*told, "Best in bold."]), f"board-{number}", head, rows, below=others)


def _across(over: Across) -> list[str]:
    """The figures, in as many tables as a page is too narrow for, and each row against the first in one of its own."""
    columns = [
        (_turned(dataset), [_shown(values[i], over.best[i]) for _, values in over.rows])
        for i, dataset in enumerate(over.datasets)
    ]
    placed = [over.standing.get(name) for name, _ in over.rows]
    means = [_shown(Across.mean(values), over.best[-1]) for _, values in over.rows]
    letters = [_superscript(each.letters) if each else "" for each in placed]
    columns.append(("mean", [mean + letter for mean, letter in zip(means, letters, strict=True)]))
    if over.stands:
        spans = [f"[{each.interval.low:.3f}, {each.interval.high:.3f}]" if each else "--" for each in placed]
        columns.append((r"95\,\%", spans))
    names = _rows([name for name, _ in over.rows], NARROW)
    caption = f"{escaped(over.measure)} across datasets. Best in bold."
    if over.stands:
        caption = (
            f"{escaped(over.measure)} across datasets; the mean counts every dataset alike. Rows that share a "
            f"superscript are "
            rf"tied by it ({SIMULTANEOUS} of all pairs); intervals of the means by BCa bootstrap, queries resampled "
            rf"within each "
            "dataset. Best in bold."
        )
    parts = []
    for number, panel in enumerate(_panels(columns)):
        heads, cells = zip(*panel, strict=True)
        label, told = ("board-across", caption) if number == 0 else (f"board-across-{number + 1}", "Continued.")
        parts.append(
            _floated(told, label, ["row", *heads], [list(row) for row in zip(names, *cells, strict=True)], SMALLER)
        )
    return [*parts, *([_against(over)] if over.compared else [])]


def _against(over: Across) -> str:
    first = next(name for name, placed in over.standing.items() if placed.against is None)
    told = (
        f"{escaped(over.measure)} across datasets, against {_breakable(_row(first))}: the difference of the means with "
        r"its simultaneous 95\,\% interval, datasets and queries won/tied/lost, and $p$ corrected for all pairs of "
        r"rows."
    )
    held = {name: placed.against for name, placed in over.standing.items() if placed.against is not None}
    head = ["row", *map(escaped, (AGAINST[0], "datasets", "queries")), "$p$"]
    rows = [
        [name, *map(escaped, against(each))]
        for name, each in zip(_rows(list(held), NARROW), held.values(), strict=True)
    ]
    return _floated(told, "board-across-against", head, rows, SMALLER)


def _superscript(letters: Sequence[str]) -> str:
    """The letters of a row's groups; with commas where one is longer than a letter."""
    told = ("," if any(len(letter) > 1 for letter in letters) else "").join(letters)
    return rf"$^{{\mathrm{{{told}}}}}$" if told else ""


def _shown(value: float | None, best: str | None) -> str:
    shown = figure(value)
    return rf"\textbf{{{shown}}}" if value is not None and shown == best else shown.replace("–", "--")


def _turned(dataset: str) -> str:
    """The head of a dataset's column, upwards where it is long, broken after what parts a name."""
    if len(dataset) <= SHORT:
        return escaped(dataset)
    return rf"\rotatebox{{90}}{{\parbox{{{TALL}}}{{{RAGGED}{_breakable(escaped(dataset))}}}}}"


def _panels(columns: Sequence[Column]) -> list[list[Column]]:
    """Columns in their order, as many together as a page is wide."""
    found: list[list[Column]] = [[]]
    left = ROOM
    for head, cells in columns:
        width = max(map(_width, cells if head.startswith(r"\rotatebox") else (head, *cells)))
        if width > left and found[-1]:
            found.append([])
            left = ROOM
        found[-1].append((head, cells))
        left -= width
    return found


def _width(text: str) -> float:
    """Points that a cell takes at 8 points, the space beside it included; letters and digits counted as bold digits
    are.
    """
    plain = re.sub(r"\\[a-z]+|[{}$^\\]", "", text)
    return 6 + sum(4.9 if c.isalnum() else 2.7 for c in plain)


def _rows(names: Sequence[str], longest: int = LONGEST) -> list[str]:
    """The cells of rows' names: where one is long all may be broken, as their column is narrower than they are."""
    return (
        [RAGGED + _breakable(_row(n)) for n in names]
        if any(len(n) > longest for n in names)
        else [_row(n) for n in names]
    )


def _row(name: str) -> str:
    return rf"\texttt{{{escaped(name)}}}"


def _breakable(text: str) -> str:
    """LaTeX text that may be broken after what parts a name."""
    return re.sub(r"([(,=+/.-]|\\_|\\textgreater\{\}(?!\\textgreater))", r"\1\\allowbreak{}", text)


def _floated(
    caption: str,
    label: str,
    head: Sequence[str],
    rows: Sequence[Sequence[str]],
    size: str = SMALL,
    below: Sequence[Sequence[str]] = (),
) -> str:
    first = (
        rf"p{{{WIDTH if size == SMALL else NARROWER}}}"
        if any(row[0].startswith(RAGGED) for row in (*rows, *below))
        else "l"
    )
    lines = [
        r"\begin{table}",
        rf"\centering{size}",
        rf"\caption{{{caption}}}",
        rf"\label{{tab:{label}}}",
        rf"\begin{{tabular}}{{{first}{'r' * (len(head) - 1)}}}",
        r"\toprule",
        " & ".join(head) + r" \\",
        r"\midrule",
        *(" & ".join(row) + r" \\" for row in rows),
        *([r"\midrule"] if below else []),
        *(" & ".join(row) + r" \\" for row in below),
        r"\bottomrule",
        r"\end{tabular}",
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"
