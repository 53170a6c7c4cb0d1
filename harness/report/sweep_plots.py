"""Learning curves as SVG and PNG; needs matplotlib, the extra `plots`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from harness.report.plots import COLOURS, STYLE, save, short
from harness.sweep.result import Curve, SweepResult

NAME = "curves"


def draw(found: SweepResult, folder: Path) -> list[Path]:
    """Draws the learning curves on dev, and beside them the chosen row's on test; the files, none where there are no
    curves.

    The best settings of each row and recipe are drawn with their intervals, all others thin and grey, baselines as
    broken lines. The same bytes with the same matplotlib.
    """
    if not found.curves:
        return []
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    tested = found.tested.curve if found.tested is not None else None
    with rc_context(STYLE):
        drawn = Figure(figsize=(3.6 * (2 if tested else 1) + 1.2, 3.2), layout="constrained")
        places = drawn.subplots(1, 2 if tested else 1, squeeze=False, sharey=True)[0]
        _one(places[0], found.curves, found.best_curves, "dev, which chose")
        _baselines(places[0], {one.row: one.mean for one in found.baselines if one.ok})
        places[0].set_ylabel(found.measure)
        if tested is not None and found.tested is not None:
            _one(places[1], (), (tested,), "test, the chosen settings alone")
            held = {v.contrast.baseline.row: v.contrast.baseline.mean for v in found.tested.verdicts}
            _baselines(places[1], held)
        drawn.suptitle(f"{found.name} on {found.dataset}", fontsize=9)
        handles, labels = places[0].get_legend_handles_labels()
        drawn.legend(handles, labels, loc="outside lower center", ncols=1, fontsize=6, frameon=False)
        return save(drawn, folder / NAME)


def _one(axes: Any, curves: Sequence[Curve], best: Sequence[Curve], title: str) -> None:
    for one in curves:
        if one not in best:
            axes.plot([s.size for s in one.spots], [s.mean for s in one.spots], color="0.8", linewidth=0.6, zorder=1)
    sizes = sorted({spot.size for one in (*curves, *best) for spot in one.spots})
    for number, one in enumerate(best):
        colour = COLOURS[number % len(COLOURS)]
        # A little apart, so that intervals at one size do not hide each other.
        places = [spot.size * 1.02 ** (number - (len(best) - 1) / 2) for spot in one.spots]
        axes.plot(
            places,
            [s.mean for s in one.spots],
            "o-",
            color=colour,
            markersize=3.5,
            linewidth=1.2,
            label=short(one.config, 90),
        )
        for place, spot in zip(places, one.spots, strict=True):
            axes.plot([place, place], [spot.interval.low, spot.interval.high], color=colour, linewidth=1.2, alpha=0.6)
    axes.set_xscale("log")
    axes.set_xticks(sizes, [f"{size:,}" for size in sizes])
    axes.minorticks_off()
    axes.set_xlabel("training queries")
    axes.set_title(title, fontsize=8)
    axes.grid(linewidth=0.4, alpha=0.5)


def _baselines(axes: Any, held: dict[str, float]) -> None:
    styles = ("--", ":", "-.")
    for number, (row, mean) in enumerate(held.items()):
        axes.axhline(
            mean,
            color="0.3",
            linestyle=styles[number % len(styles)],
            linewidth=1.0,
            label=f"{short(row, 90)} (baseline)",
        )
