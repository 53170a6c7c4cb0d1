"""Learning curves as SVG and PNG; needs matplotlib, the extra `plots`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.bench.row_names import RowNames
from harness.report.plots import COLOURS, STYLE, save, short
from harness.sweep.result import Curve, SweepResult

NAME = "curves"


def draw(sweep: SweepResult, folder: Path) -> list[Path]:
    """Draws the learning curves on dev, and next to them the chosen row's on test; returns the files, none without
    curves.

    The best settings of each row and recipe are drawn with their intervals, all others thin and grey, baselines as
    broken lines. The same bytes with the same matplotlib.
    """
    if not sweep.curves:
        return []
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    tested = sweep.tested
    panels = 1 if tested is None or tested.curve is None else 2
    with rc_context(STYLE):
        figure = Figure(figsize=(3.6 * panels + 1.2, 3.2), layout="constrained")
        axes = figure.subplots(1, panels, squeeze=False, sharey=True)[0]
        _panel(axes[0], sweep.curves, sweep.best_curves, "dev, which chose", sweep.names)
        _baselines(axes[0], {sweep.names(row.row): row.mean for row in sweep.baselines if row.ok})
        axes[0].set_ylabel(sweep.measure)
        if tested is not None and tested.curve is not None:
            _panel(axes[1], (), (tested.curve,), "test, only the chosen settings", sweep.names)
            baselines = [verdict.contrast.baseline for verdict in tested.verdicts]
            _baselines(axes[1], {row.row: row.mean for row in baselines})
        figure.suptitle(f"{sweep.name} on {sweep.dataset}", fontsize=9)
        handles, labels = axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=1, fontsize=6, frameon=False)
        return save(figure, folder / NAME)


def _panel(axes: Any, curves: Sequence[Curve], best: Sequence[Curve], title: str, names: RowNames) -> None:
    for curve in curves:
        if curve not in best:
            means = [spot.mean for spot in curve.spots]
            axes.plot([spot.size for spot in curve.spots], means, color="0.8", linewidth=0.6, zorder=1)
    for number, curve in enumerate(best):
        style = {"color": COLOURS[number % len(COLOURS)], "linewidth": 1.2}
        # A little apart, so that intervals at one size do not hide each other.
        places = [spot.size * 1.02 ** (number - (len(best) - 1) / 2) for spot in curve.spots]
        means = [spot.mean for spot in curve.spots]
        axes.plot(places, means, "o-", markersize=3.5, label=short(names(curve.config), 90), **style)
        for place, spot in zip(places, curve.spots, strict=True):
            axes.plot([place, place], [spot.interval.low, spot.interval.high], alpha=0.6, **style)
    sizes = sorted({spot.size for curve in (*curves, *best) for spot in curve.spots})
    axes.set_xscale("log")
    axes.set_xticks(sizes, [f"{size:,}" for size in sizes])
    axes.minorticks_off()
    axes.set_xlabel("training queries")
    axes.set_title(title, fontsize=8)
    axes.grid(linewidth=0.4, alpha=0.5)


def _baselines(axes: Any, means: Mapping[str, float]) -> None:
    styles = ("--", ":", "-.")
    for number, (row, mean) in enumerate(means.items()):
        label = f"{short(row, 90)} (baseline)"
        axes.axhline(mean, color="0.3", linestyle=styles[number % len(styles)], linewidth=1.0, label=label)
