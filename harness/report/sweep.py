"""A sweep as Markdown, CSV and JSON: what was chosen and what it is worth, the grid, learning curves, break-even
points.
"""

from __future__ import annotations

import csv
import io
import json
import math
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from harness.base.files import write_text
from harness.compare.verdict import signed
from harness.report import formats
from harness.report.markdown import code, escaped, grid
from harness.report.sweep_plots import draw
from harness.statistics.bootstrap import Interval
from harness.statistics.curves import ALWAYS, NEVER, BreakEven
from harness.sweep.result import Curve, Found, Tested
from harness.sweep.trials import Tried

FILE = "sweep"
HEAD = (
    "dataset",
    "split",
    "row",
    "config",
    "queries",
    "seed",
    "measure",
    "value",
    "low",
    "high",
    "seconds",
    "chosen",
    "problem",
)
EXPLAINED = (
    "Every figure of this section is of the dev queries, over the whole corpus; they chose the row, and each model's "
    "checkpoint, "
    "so the best of them is too good. Intervals are at 95 %: of one seed by BCa bootstrap over queries, of several for "
    "a model "
    "trained with another seed. Differences are paired by query."
)


def write_sweep(found: Found, folder: Path, *, plots: bool = True) -> list[Path]:
    """Writes `sweep.md`, `sweep.csv` and `sweep.json`, and the learning curves where there are any and matplotlib is
    there.
    """
    drawn = draw(found, folder) if plots and find_spec("matplotlib") is not None else []
    texts = {"md": document(found, [path.name for path in drawn]), "csv": table(found), "json": as_json(found)}
    for ending, text in texts.items():
        write_text(folder / f"{FILE}.{ending}", text)
    return [*(folder / f"{FILE}.{ending}" for ending in texts), *drawn]


def sentences(found: Found) -> list[str]:
    """What was chosen and what it is worth, one plain sentence each."""
    chosen = found.chosen
    if chosen is None:
        return ["Nothing was chosen: no row has figures for every seed."]
    seeds = f", the mean of {len(chosen.cells)} seeds" if len(chosen.cells) > 1 else ""
    learnt = f" with {chosen.size:,} training queries" if chosen.size is not None else ""
    told = [
        f"Chosen on dev: `{chosen.row}`{learnt}, {found.measure} {formats.score(chosen.mean)} [{formats.interval(chosen.interval)}] on "
        f"{len(chosen.ids):,} dev queries{seeds}; the best of {_count(len(found.whole), 'row')}."
    ]
    if found.tested is not None:
        told += _on_test(found, found.tested)
    elif found.problem is not None:
        told.append(f"{found.problem}")
    else:
        told.append("It was not reported on test yet.")
    for one in found.best_curves:
        told += [f"On dev, {_passes(one, row, even)}." for row, even in one.breaks.items()]
    for row, problem in dict.fromkeys(
        (one.row, one.problem) for one in (*found.tried, *found.baselines) if one.problem
    ):
        told.append(f"`{row}` has no figures: {problem}")
    return told


def _on_test(found: Found, tested: Tested) -> list[str]:
    told = []
    gained = tested.optimism
    against = {verdict.contrast.baseline.row: verdict for verdict in tested.verdicts}
    first = next((one for one in found.baselines if one.ok and one.row in against), None)
    if gained is not None and first is not None:
        held = against[first.row].contrast.interval
        less = f"{abs(gained.difference):.4f} {'less' if gained.difference > 0 else 'more'} than it looked"
        told.append(
            f"It looked {signed(gained.looked)} on dev, is {signed(gained.found)} [{signed(held.low)}, "
            f"{signed(held.high)}] "
            f"on test against `{first.row}`: {less}{_between(gained.interval)}."
        )
        told.append(
            f"Choosing among {_count(len(found.whole), 'row')} on {len(found.whole[0].ids):,} queries makes the best "
            f"look about "
            f"{max(0.0, found.curse):.4f} too good by itself (bootstrap{_uncounted(found)}); the rest is that dev and "
            f"test are "
            "other queries."
        )
    told += [f"On test, {_lowered(' '.join(verdict.short))}" for verdict in tested.verdicts]
    told += tested.verdicts[0].seen if tested.verdicts else []
    if tested.curve is not None:
        told += [f"On test, {_passes(tested.curve, row, even)}." for row, even in tested.curve.breaks.items()]
    if len(tested.looked) > 1:
        others = ", ".join(f"`{row}`" for row in tested.looked if found.chosen is None or row != found.chosen.row)
        told.append(
            f"Test was asked {len(tested.looked)} times by this sweep: it chose {others} too, among other settings or "
            f"with other "
            "code. The more often it is asked, the less the last answer is worth."
        )
    return told


def _uncounted(found: Found) -> str:
    """Rows that a search gave up before they had all training queries cannot win a resample."""
    return "" if found.search.startswith("grid") else "; what the search gave up on the way is not counted"


def _between(interval: Interval | None) -> str:
    """The interval of how much less it is, which two samples of queries leave."""
    return "" if interval is None else f" (the two differ by {signed(interval.low)} to {signed(interval.high)} at 95 %)"


def _passes(one: Curve, row: str, even: BreakEven) -> str:
    """Where a curve passes a baseline, in words."""
    least, most = one.spots[0].size, one.spots[-1].size
    ends = [_size(even.low, least, most), _size(even.high, least, most)]
    spread = f" (95 %: {ends[0]} to {ends[1]})" if ends[0] != ends[1] else ""
    if even.at == NEVER:
        return f"`{one.config}` does not pass `{row}` within the sizes tried, {least:,} to {most:,} training queries{spread}"
    if even.at == ALWAYS:
        return f"`{one.config}` is above `{row}` from the smallest size tried on, {least:,} training queries{spread}"
    return f"`{one.config}` passes `{row}` at about {even.at:,.0f} training queries{spread}"


def _size(at: float, least: int, most: int) -> str:
    return f"fewer than {least:,}" if at == ALWAYS else f"more than {most:,}" if at == NEVER else f"{at:,.0f}"


def document(found: Found, plots: list[str]) -> str:
    """The file; the same bytes for the same outcomes."""
    parts = [
        f"# Sweep {escaped(found.name)} on {escaped(found.dataset)}",
        "\n".join(f"- {escaped(sentence)}" for sentence in sentences(found)),
    ]
    if found.tested is not None:
        said = [" ".join(verdict.sentences) for verdict in found.tested.verdicts]
        parts += ["## The chosen row on test", *map(escaped, said)] if said else []
        parts += [_curve(found.tested.curve, found.measure)] if found.tested.curve is not None else []
    parts += [f"## On dev: `{escaped(found.search)}`", EXPLAINED, _grid(found)]
    if found.curves:
        parts += [
            "## Learning curves, on dev",
            *(f"![learning curves]({name})" for name in plots if name.endswith(".svg")),
        ]
        parts += [part for one in found.best_curves for part in (f"{code(one.config)}:", _curve(one, found.measure))]
        parts.append(
            "The training queries of one seed are nested: the fewer are among the more. A curve passes a baseline "
            "where it stays "
            "above from there on; between two sizes it is drawn straight over the logarithm of their number, and the "
            "interval is "
            "of resamples of queries and seeds."
        )
    return "\n\n".join(parts) + "\n"


def board(found: Found) -> tuple[list[str], list[list[str]]]:
    """Headings and rows of the grid, best first, the chosen marked, baselines below."""
    first = next((one for one in found.baselines if one.ok), None)
    against = [f"from {first.row}", "95 %"] if first is not None else []
    head = ["row", "training queries", found.measure, "95 %", *against, "from the chosen", "seconds a seed"]
    chosen = found.chosen
    rows = []
    for one in (*found.tried, *found.baselines):
        if not one.ok:
            rows.append(
                [one.row, _learnt(one), "–", "–", *("–" for _ in against), "skipped" if one.skipped else "failed", "–"]
            )
            continue
        gap = ["–", "–"] if one is first else _gap(one, first) if first is not None else []
        mark = "chosen" if one is chosen else signed(one.mean - chosen.mean) if chosen is not None else "–"
        rows.append(
            [
                one.row,
                _learnt(one),
                formats.score(one.mean),
                formats.interval(one.interval),
                *gap,
                mark,
                f"{one.seconds:.0f}",
            ]
        )
    return head, rows


def _gap(one: Tried, other: Tried) -> list[str]:
    """A mean difference and its interval."""
    difference, interval = one.against(other)
    return [signed(difference), f"{interval.low:+.3f} to {interval.high:+.3f}"]


def _learnt(one: Tried) -> str:
    return "–" if one.size is None else f"{one.size:,}"


def _grid(found: Found) -> str:
    head, rows = board(found)
    chosen = found.chosen
    shown = []
    for row, one in zip(rows, (*found.tried, *found.baselines), strict=True):
        bold = one is chosen
        named = code(row[0]) + (" *(baseline)*" if one in found.baselines else "")
        shown.append([f"**{named}**" if bold else named, *row[1:2], f"**{row[2]}**" if bold else row[2], *row[3:]])
    return grid(head, shown)


def _curve(one: Curve, measure: str) -> str:
    rows = [
        [f"{spot.size:,}", formats.score(spot.mean), formats.interval(spot.interval), str(spot.values.shape[1])]
        for spot in one.spots
    ]
    return grid(["training queries", measure, "95 %", "seeds"], rows)


def table(found: Found) -> str:
    """One line for each row and seed on dev, and for each of the chosen row on test."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(HEAD)
    chosen = found.chosen
    for one in (*found.tried, *found.baselines):
        low, high = (f"{end:.6f}" for end in (one.interval.low, one.interval.high)) if one.ok else ("", "")
        start = (found.dataset, "dev", one.row, one.config, "" if one.size is None else one.size)
        for cell in one.cells:
            end = (f"{cell['mean']:.6f}", low, high, cell["seconds"], one is chosen, one.problem or "")
            writer.writerow((*start, cell["seed"], found.measure, *end))
        if not one.cells:
            writer.writerow((*start, "", found.measure, "", "", "", "", False, one.problem or ""))
    if found.tested is not None and chosen is not None:
        for record in found.tested.scores.records:
            value = f"{record.measures[found.measure]:.6f}"
            start = (found.dataset, "test", chosen.row, chosen.config, "" if chosen.size is None else chosen.size)
            writer.writerow((*start, record.seed, found.measure, value, "", "", "", True, ""))
    return out.getvalue()


def as_json(found: Found) -> str:
    """Everything for other programs: the same figures, curves with their break-even points, sentences."""
    chosen, tested = found.chosen, found.tested
    told: dict[str, Any] = {
        "sweep": found.name,
        "dataset": found.dataset,
        "measure": found.measure,
        "search": found.search,
        "sentences": sentences(found),
        "chosen": None if chosen is None else chosen.method.full(),
        "dev": [_row(one, chosen) for one in found.tried],
        "baselines": [_row(one, chosen) for one in found.baselines],
        "curves_on_dev": [_spots(one) for one in found.curves],
        "winners_curse": found.curse if found.whole else None,
        "test": None,
    }
    if tested is not None:
        gained = tested.optimism
        told["test"] = {
            "mean": tested.scores.mean,
            "seeds": [record.seed for record in tested.scores.records],
            "against": {
                v.contrast.baseline.row: {"finding": v.finding, "difference": v.contrast.difference, "p": v.contrast.p}
                for v in tested.verdicts
            },
            "looked": None if gained is None else gained.looked,
            "is": None if gained is None else gained.found,
            "curve": None if tested.curve is None else _spots(tested.curve),
            "reported_so_far": list(tested.looked),
        }
    return json.dumps(told, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _row(one: Tried, chosen: Tried | None) -> dict[str, Any]:
    return {
        "row": one.row,
        "method": one.method.full(),
        "config": one.config,
        "group": one.group,
        "training_queries": one.size,
        "mean": one.mean if one.ok else None,
        "interval": [one.interval.low, one.interval.high] if one.ok else None,
        "seeds": {str(cell["seed"]): cell["mean"] for cell in one.cells},
        "seconds": round(one.seconds, 2),
        "chosen": one is chosen,
        "problem": one.problem,
    }


def _spots(one: Curve) -> dict[str, Any]:
    return {
        "config": one.config,
        "group": one.group,
        "spots": [
            {"queries": s.size, "mean": s.mean, "interval": [s.interval.low, s.interval.high]} for s in one.spots
        ],
        "break_even": {
            row: {"at": _plain(e.at), "low": _plain(e.low), "high": _plain(e.high), "passes": e.passes}
            for row, e in one.breaks.items()
        },
    }


def _plain(at: float) -> float | str:
    return "from the smallest on" if at == ALWAYS else "not within the sizes tried" if math.isinf(at) else round(at, 1)


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _lowered(sentence: str) -> str:
    """A sentence that begins with a row's name stays; any other begins small."""
    return sentence[0].lower() + sentence[1:] if sentence.startswith("Whether") else sentence
