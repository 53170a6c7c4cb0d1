"""A sweep as Markdown: the chosen row, the grid, learning curves; and the writing of its files."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from harness.base.files import write_text
from harness.compare.verdict import ends, signed
from harness.report import formats
from harness.report.markdown import code, escaped, grid
from harness.report.sweep_data import as_csv, as_json
from harness.report.sweep_plots import draw
from harness.report.sweep_sentences import sentences
from harness.sweep.result import Curve, SweepResult
from harness.sweep.trial import Trial

FILE = "sweep"
EXPLAINED = (
    "All scores of this section are of the dev queries, over the whole corpus. They chose the row and each model's "
    "checkpoint, so the best score is too optimistic. Intervals are at 95 %: of one seed by BCa bootstrap over "
    "queries, of several for a model trained with another seed. Differences are paired by query."
)


def write_sweep(sweep: SweepResult, folder: Path, *, plots: bool = True) -> list[Path]:
    """Writes `sweep.md`, `sweep.csv` and `sweep.json`, and the plots of learning curves if matplotlib is installed."""
    drawn = draw(sweep, folder) if plots and find_spec("matplotlib") is not None else []
    names = [path.name for path in drawn]
    texts = {"md": document(sweep, names), "csv": as_csv(sweep), "json": as_json(sweep)}
    for ending, text in texts.items():
        write_text(folder / f"{FILE}.{ending}", text)
    return [*(folder / f"{FILE}.{ending}" for ending in texts), *drawn]


def document(sweep: SweepResult, plots: list[str]) -> str:
    """The file; the same bytes for the same outcomes."""
    parts = [
        f"# Sweep {escaped(sweep.name)} on {escaped(sweep.dataset)}",
        "\n".join(f"- {escaped(sentence)}" for sentence in sentences(sweep)),
    ]
    if sweep.tested is not None:
        verdicts = [" ".join(verdict.sentences) for verdict in sweep.tested.verdicts]
        parts += ["## The chosen row on test", *map(escaped, verdicts)] if verdicts else []
        parts += [_curve(sweep.tested.curve, sweep.measure)] if sweep.tested.curve is not None else []
    parts += [f"## On dev: `{escaped(sweep.search)}`", EXPLAINED, _grid(sweep), *_legend(sweep)]
    if sweep.curves:
        parts.append("## Learning curves, on dev")
        parts += [f"![learning curves]({name})" for name in plots if name.endswith(".svg")]
        for curve in sweep.best_curves:
            parts += [f"{code(sweep.names(curve.config))}:", _curve(curve, sweep.measure)]
        parts.append(
            "The training queries of one seed are nested: each size contains the smaller ones. A curve passes a "
            "baseline at the size from which on it stays above; between two sizes it is linear in the logarithm of "
            "their number. The interval resamples queries and seeds."
        )
    return "\n\n".join(parts) + "\n"


def board(sweep: SweepResult) -> tuple[list[str], list[list[str]]]:
    """Headings and rows of the grid, best first, the chosen marked, baselines below."""
    first = next((row for row in sweep.baselines if row.ok), None)
    against = [f"from {sweep.names(first.row)}", "95 %"] if first is not None else []
    head = ["row", "training queries", sweep.measure, "95 %", *against, "from the chosen", "seconds a seed"]
    chosen = sweep.chosen
    rows = []
    for row in (*sweep.tried, *sweep.baselines):
        start = [sweep.names(row.row), _trained_on(row)]
        if not row.ok:
            status = "skipped" if row.skipped else "failed"
            rows.append([*start, "–", "–", *("–" for _ in against), status, "–"])
            continue
        gap = _gap(row, first) if first is not None else []
        mark = "–"
        if chosen is not None:
            mark = "chosen" if row is chosen else signed(row.mean - chosen.mean)
        rows.append([*start, formats.score(row.mean), formats.interval(row.interval), *gap, mark, f"{row.seconds:.0f}"])
    return head, rows


def _gap(row: Trial, other: Trial) -> list[str]:
    """A mean difference and its interval; dashes for the baseline itself."""
    if row is other:
        return ["–", "–"]
    difference, interval = row.against(other)
    return [signed(difference), ends(interval, 3)[1:-1].replace(", ", " to ")]


def _trained_on(row: Trial) -> str:
    return "–" if row.size is None else f"{row.size:,}"


def _grid(sweep: SweepResult) -> str:
    head, rows = board(sweep)
    shown = []
    for (name, size, score, *rest), row in zip(rows, (*sweep.tried, *sweep.baselines), strict=True):
        name = code(name)
        if row in sweep.baselines:
            name += " *(baseline)*"
        if row is sweep.chosen:
            name, score = f"**{name}**", f"**{score}**"
        shown.append([name, size, score, *rest])
    return grid(head, shown)


def _legend(sweep: SweepResult) -> list[str]:
    """What names stand for that leave something out."""
    rows = [row for row in (*sweep.tried, *sweep.baselines) if row.row in sweep.names.unclear]
    named = dict.fromkeys(f"{code(sweep.names(row.row))} is {code(row.row)}" for row in rows)
    return [f"Names: {'; '.join(named)}."] if named else []


def _curve(row: Curve, measure: str) -> str:
    rows = [
        [f"{spot.size:,}", formats.score(spot.mean), formats.interval(spot.interval), str(spot.values.shape[1])]
        for spot in row.spots
    ]
    return grid(["training queries", measure, "95 %", "seeds"], rows)
