"""The board for papers: LaTeX tables with booktabs, groups of rows that cannot be told apart as superscripts."""

from __future__ import annotations

import re
from collections.abc import Sequence

from harness.report.board import Across, Table, across, figure

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
    **{c: rf"\{c}" for c in "&%$#_{}"},
}
LONGEST, WIDTH = 28, "11em"
"""Characters of a row's name beyond which it is broken, and the width it then has."""
HEAD = r"""% Written by `harness leaderboard`. \usepackage{booktabs} in the preamble; \input{leaderboard} where the tables belong.
"""


def leaderboard(found: Sequence[Table]) -> str:
    """One table per dataset, and one across datasets where there are several. The same bytes for the same records."""
    over = across(found)
    parts = [HEAD, *([_across(over)] if over else []), *(_table(i, table) for i, table in enumerate(found, start=1))]
    return "\n".join(parts) if found else HEAD + "% No records yet: `harness run` makes some.\n"


def escaped(text: str) -> str:
    """Text that LaTeX sets as it is; a letter outside ASCII and Latin needs an engine that reads UTF-8 (all since 2018 do)."""
    return re.sub(r"\s+", " ", "".join(SPECIAL.get(c, c) for c in text))


def _table(number: int, table: Table) -> str:
    rows = []
    for line in table.lines:
        if not line.ok:
            continue
        cells = [_row(line.row)]
        for i, measure in enumerate(table.measures):
            shown = figure(line.value(measure)).replace("–", "--")
            shown = rf"\textbf{{{shown}}}" if line.value(measure) is not None and shown == table.best(measure) else shown
            if table.stands and i == 0:
                interval = line.interval
                cells.append(rf"{shown}$^{{\mathrm{{{line.letters}}}}}$" if line.letters else shown)
                cells.append(f"[{interval.low:.3f}, {interval.high:.3f}]" if interval else "--")
            else:
                cells.append(shown)
        rows.append(cells)
    head = ["row", *map(escaped, table.measures)]
    head[2:2] = [r"95\,\%"] if table.stands else []
    told = [f"{escaped(table.dataset)}, {table.first.dataset['queries']:,} queries."]
    if table.stands:
        told.append(
            f"Rows that share a superscript cannot be told apart by {escaped(table.measures[0])} (paired randomisation test of "
            r"all pairs, Holm's correction, $\alpha = 0.05$); intervals by BCa bootstrap over queries."
        )
    left_out = [_row(line.row) for line in table.lines if not line.ok]
    if left_out:
        told.append(f"Without figures: {', '.join(left_out)}.")
    return _floated(" ".join([*told, "Best in bold."]), f"board-{number}", head, rows)


def _across(over: Across) -> str:
    lines = [(name, (*values, Across.mean(values))) for name, values in over.rows]
    best = [max((v for v in column if v is not None), default=None) for column in zip(*(v for _, v in lines), strict=True)]
    rows = []
    for name, values in lines:
        cells = [figure(v).replace("–", "--") for v in values]
        bold = [
            rf"\textbf{{{c}}}" if v is not None and c == figure(b) else c for c, v, b in zip(cells, values, best, strict=True)
        ]
        rows.append([_row(name), *bold])
    head = ["row", *map(escaped, over.datasets), "mean"]
    return _floated(f"{escaped(over.measure)} across datasets. Best in bold.", "board-across", head, rows)


def _row(name: str) -> str:
    """A row's name, which may be broken after a bracket or a comma where it is long."""
    shown = rf"\texttt{{{escaped(name)}}}"
    breakable = re.sub(r"([(,=])", r"\1\\allowbreak{}", shown)
    return rf"\raggedright {breakable}" if len(name) > LONGEST else shown


def _floated(caption: str, label: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    first = rf"p{{{WIDTH}}}" if any(row[0].startswith(r"\raggedright") for row in rows) else "l"
    lines = [
        r"\begin{table}",
        r"\centering\small\setlength{\tabcolsep}{4pt}",
        rf"\caption{{{caption}}}",
        rf"\label{{tab:{label}}}",
        rf"\begin{{tabular}}{{{first}{'r' * (len(head) - 1)}}}",
        r"\toprule",
        " & ".join(head) + r" \\",
        r"\midrule",
        *(" & ".join(row) + r" \\" for row in rows),
        r"\bottomrule",
        r"\end{tabular}",
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"
