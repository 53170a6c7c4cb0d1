"""What was measured of the judge's errors on collections with real judgements, and the bounds that follow.

The file `judge_errors.json` is written by `benchmarks/testset_validity.py --write`.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from harness.statistics.judge_error import bound
from harness.statistics.paired import Values

FILE = Path(__file__).with_name("judge_errors.json")


@dataclass(frozen=True)
class Bounds:
    """Sizes of differences (in standard deviations of a query's difference) up to which the sign may be wrong.

    Args:
        shared: of two rows one of which, or both, share a model with the judge.
        apart: of two rows that share none with it.
        judge: which was measured.
        collections: on how many.
    """

    shared: float
    apart: float
    judge: str
    collections: int

    def of(self, favoured: Sequence[bool], judges: Sequence[str], share: float = 1.0) -> Values:
        """(rows, rows) for each pair of rows.

        Of a judge that was not measured the larger bound holds for all pairs. If machines judged only a part of the
        pairs, only that part of a score can be wrong.

        Args:
            favoured: (rows,) whether a row shares a model with a judge.
            judges: of the labels.
            share: of the judged pairs, how many machines judged.
        """
        own = np.asarray(favoured, np.bool_)
        shared = own[:, None] | own
        if set(judges) != {self.judge}:
            shared = np.ones_like(shared)
        sizes: Values = np.where(shared, max(self.shared, self.apart), self.apart) * share
        np.fill_diagonal(sizes, 0.0)
        return sizes


@functools.cache
def measured() -> Mapping[str, Any]:
    """The file: `judge`, `generator`, `rows`, `queries`, and `collections`: name → what was measured there."""
    return dict(json.loads(FILE.read_text(encoding="utf-8")))


def bounds(without: str = "") -> Bounds:
    """Of another collection than those that were measured.

    Args:
        without: a measured collection that is left out, to test the bounds on it.
    """
    every = measured()
    used = [own for name, own in every["collections"].items() if name != without]
    shared, apart = (bound([own["largest_wrong"][kind] for own in used]) for kind in ("shared", "apart"))
    return Bounds(shared, apart, str(every["judge"]), len(used))


def favours() -> str:
    """Which rows made sets rank too high and by how many places, in one sentence."""
    found: dict[str, list[float]] = {}
    for own in measured()["collections"].values():
        for relation, places in own["places"].items():
            found.setdefault(relation, []).append(float(places))
    count = measured()["rows"]
    names = {"judge's model": "rows with the judge's model", "words": "rows that match words", "other": "other rows"}
    parts = [
        f"{names[relation]} {np.mean(places):+.1f} ({min(places):+.1f} to {max(places):+.1f})"
        for relation, places in sorted(found.items(), key=lambda item: -float(np.mean(item[1])))
    ]
    return f"Places by which such sets ranked {count} rows too high, on average: {', '.join(parts)}."


def orders() -> str:
    """How far the order of rows on made sets was that of real judgements, in one sentence."""
    every = measured()
    taus = ", ".join(f"{name.rpartition('/')[2]} {own['tau']:.2f}" for name, own in every["collections"].items())
    own = list(every["collections"].values())
    plain, naive = (sum(each["by_sampling"][key] for each in own) for key in ("significant", "wrong"))
    called, wrong = (sum(each[key] for each in own) for key in ("significant", "wrong"))
    best = sum(each["best_in_top"] for each in own)
    return (
        f"Measured on {len(own)} collections with real judgements, sets made by {every['generator']} and judged by "
        f"{every['judge']}: Kendall's tau of {every['rows']} rows {taus}. By sampling of the queries alone {naive} of "
        f"{plain} significant differences had the wrong sign; with intervals widened by what was measured on the other "
        f"collections, {wrong} of {called}, and the truly best row was in the top group on {best}."
    )
