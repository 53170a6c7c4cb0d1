"""A sweep for other programs, as CSV and as JSON."""

from __future__ import annotations

import csv
import io
import json
import math
from typing import Any

from harness.report.sweep_sentences import sentences
from harness.statistics.curves import ALWAYS
from harness.sweep.result import Curve, SweepResult
from harness.sweep.trial import Trial

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


def as_csv(sweep: SweepResult) -> str:
    """One line for each row and seed on dev, and for each of the chosen row on test."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(HEAD)
    chosen = sweep.chosen
    for row in (*sweep.tried, *sweep.baselines):
        low, high = (f"{end:.6f}" for end in (row.interval.low, row.interval.high)) if row.ok else ("", "")
        start = (sweep.dataset, "dev", row.row, row.config, "" if row.size is None else row.size)
        for cell in row.cells:
            end = (f"{cell['mean']:.6f}", low, high, cell["seconds"], row is chosen, row.problem or "")
            writer.writerow((*start, cell["seed"], sweep.measure, *end))
        if not row.cells:
            writer.writerow((*start, "", sweep.measure, "", "", "", "", False, row.problem or ""))
    if sweep.tested is not None and chosen is not None:
        for record in sweep.tested.scores.records:
            value = f"{record.measures[sweep.measure]:.6f}"
            start = (sweep.dataset, "test", chosen.row, chosen.config, "" if chosen.size is None else chosen.size)
            writer.writerow((*start, record.seed, sweep.measure, value, "", "", "", True, ""))
    return out.getvalue()


def as_json(sweep: SweepResult) -> str:
    """Everything for other programs: the same scores, curves with their break-even points, sentences."""
    chosen, tested = sweep.chosen, sweep.tested
    data: dict[str, Any] = {
        "sweep": sweep.name,
        "dataset": sweep.dataset,
        "measure": sweep.measure,
        "search": sweep.search,
        "sentences": sentences(sweep),
        "chosen": None if chosen is None else chosen.method.full(),
        "dev": [_row(row, chosen) for row in sweep.tried],
        "baselines": [_row(row, chosen) for row in sweep.baselines],
        "curves_on_dev": [_spots(curve) for curve in sweep.curves],
        "winners_curse": sweep.curse if sweep.whole else None,
        "test": None,
    }
    if tested is not None:
        gain = tested.optimism
        data["test"] = {
            "mean": tested.scores.mean,
            "seeds": [record.seed for record in tested.scores.records],
            "against": {
                v.contrast.baseline.row: {"finding": v.finding, "difference": v.contrast.difference, "p": v.contrast.p}
                for v in tested.verdicts
            },
            "looked": None if gain is None else gain.looked,
            "is": None if gain is None else gain.found,
            "curve": None if tested.curve is None else _spots(tested.curve),
            "reported_so_far": list(tested.looked),
        }
    return json.dumps(data, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _row(row: Trial, chosen: Trial | None) -> dict[str, Any]:
    return {
        "row": row.row,
        "method": row.method.full(),
        "config": row.config,
        "group": row.group,
        "training_queries": row.size,
        "mean": row.mean if row.ok else None,
        "interval": [row.interval.low, row.interval.high] if row.ok else None,
        "seeds": {str(cell["seed"]): cell["mean"] for cell in row.cells},
        "seconds": round(row.seconds, 2),
        "chosen": row is chosen,
        "problem": row.problem,
    }


def _spots(curve: Curve) -> dict[str, Any]:
    return {
        "config": curve.config,
        "group": curve.group,
        "spots": [
            {"queries": s.size, "mean": s.mean, "interval": [s.interval.low, s.interval.high]} for s in curve.spots
        ],
        "break_even": {
            baseline: {"at": _plain(e.at), "low": _plain(e.low), "high": _plain(e.high), "passes": e.passes}
            for baseline, e in curve.breaks.items()
        },
    }


def _plain(at: float) -> float | str:
    if at == ALWAYS:
        return "from the smallest on"
    return "not within the sizes tried" if math.isinf(at) else round(at, 1)
