"""Plots for papers, as SVG and PNG: means with intervals, and quality against each cost. Needs matplotlib, the extra
`plots`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from harness.base.errors import Unavailable
from harness.base.files import replacing, slug
from harness.report import formats
from harness.report.board import Table
from harness.report.frontier import non_dominated
from harness.report.trade_offs import TRADE_OFFS

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#7F7F7F")
"""Of the families, distinct for colour-blind readers (Okabe and Ito 2008)."""
LONGEST = 36
"""Characters of a row's name."""
STYLE: dict[Any, Any] = {
    "font.size": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "svg.hashsalt": "harness",
    "svg.fonttype": "none",
    "text.parse_math": False,
}


def write_plots(found: Sequence[Table], folder: Path) -> list[Path]:
    """Draws every table's plots by its first measure, and returns the files; the same bytes with the same matplotlib.

    Raises:
        Unavailable: matplotlib is not installed.
    """
    if find_spec("matplotlib") is None:
        raise Unavailable("matplotlib is not installed.", "python3 -m pip install 'retrieval-harness[plots]'")
    from matplotlib import rc_context

    families = sorted({line.family for table in found for line in table.lines})
    colours = {name: COLOURS[i % len(COLOURS)] for i, name in enumerate(families)}
    written = []
    with rc_context(STYLE):
        for table in found:
            if any(line.ok for line in table.lines) and table.measures:
                written += save(_means(table, colours), folder / f"{slug(table.dataset)}-means")
                for name in TRADE_OFFS:
                    drawn = _trade(table, name, colours)
                    written += save(drawn, folder / f"{slug(table.dataset)}-{name}") if drawn else []
    return written


def _means(table: Table, colours: dict[str, str]) -> Any:
    from matplotlib.figure import Figure

    measure = table.measures[0]
    lines = [line for line in table.lines if line.ok and line.value(measure) is not None]
    drawn = Figure(figsize=(5.5, 0.7 + 0.22 * len(lines)), layout="constrained")
    axes = drawn.subplots()
    for place, line in enumerate(lines):
        colour = colours[line.family]
        if line.interval:
            axes.plot([line.interval.low, line.interval.high], [place, place], color=colour, linewidth=1.5, alpha=0.6)
            ranks = formats.ranks(line.position.ranks if line.position else None)
            axes.annotate(ranks, (line.interval.high, place), (4, -2.5), textcoords="offset points", fontsize=7)
        axes.plot([line.value(measure) or 0.0], [place], "o", color=colour, markersize=4)
    axes.set_yticks(range(len(lines)), [short(line.row) for line in lines])
    axes.invert_yaxis()
    axes.set_xlabel(f"{measure}, 95 % interval, and range of ranks" if table.has_intervals else measure)
    axes.set_title(table.dataset, fontsize=9)
    axes.grid(axis="x", linewidth=0.4, alpha=0.5)
    return drawn


def _trade(table: Table, name: str, colours: dict[str, str]) -> Any:
    from matplotlib.figure import Figure

    trade, measure = TRADE_OFFS[name], table.measures[0]
    points, lines = [], []
    for line in table.lines:
        cost, value = (trade.value(line), line.value(measure)) if line.ok else (None, None)
        if cost is not None and value is not None:
            points.append((cost, value))
            lines.append(line)
    costs = sorted({cost for cost, _ in points})
    if len(costs) < 2:  # nothing to trade
        return None
    has_zero = costs[0] <= 0
    least = 1.0 if has_zero else 0.0
    middle = math.sqrt(max(costs[0], least) * max(costs[-1], least))
    drawn = Figure(figsize=(3.4, 2.6), layout="constrained")
    axes = drawn.subplots()
    free = non_dominated(points)
    named = _named([value for (_, value), is_free in zip(points, free, strict=True) if is_free], points)
    for line, point, is_free in zip(lines, points, free, strict=True):
        colour = colours[line.family]
        marker, face = ("D", colour) if is_free else ("o", "white")
        axes.plot(*point, marker, color=colour, markerfacecolor=face, markersize=5)
        if is_free and point[1] in named:
            side, shift = ("right", -3) if point[0] > middle else ("left", 3)
            place: dict[str, Any] = {"xytext": (shift, 5), "textcoords": "offset points", "ha": side}
            axes.annotate(short(line.row, 28), point, fontsize=6, in_layout=False, **place)
    axes.set_xscale("symlog" if has_zero else "log")
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.xaxis.set_minor_formatter(lambda *_: "")
    axes.set_xlabel(trade.label)
    axes.set_ylabel(measure)
    axes.set_title(table.dataset, fontsize=9)
    axes.grid(linewidth=0.4, alpha=0.5)
    return drawn


def _named(front: Sequence[float], points: Sequence[tuple[float, float]]) -> set[float]:
    """The scores of the front whose labels are drawn, the best first; one close below another would overlap it."""
    scores = [value for _, value in points]
    gap = 0.06 * (max(scores) - min(scores))
    named: list[float] = []
    for value in sorted(front, reverse=True):
        if all(other - value > gap for other in named):
            named.append(value)
    return set(named)


def short(name: str, most: int = LONGEST) -> str:
    """A name cut to a number of characters."""
    return name if len(name) <= most else f"{name[: most - 1]}…"


def save(drawn: Any, place: Path) -> list[Path]:
    """Writes a figure as SVG and PNG, and returns the files."""
    written = []
    for ending, metadata in (("svg", {"Date": None, "Creator": None}), ("png", {"Software": None})):
        path = place.parent / f"{place.name}.{ending}"
        with replacing(path) as part:
            drawn.savefig(part, format=ending, dpi=200, metadata=metadata)
        written.append(path)
    return written
