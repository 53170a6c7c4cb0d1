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
    """The file: `generator`, `rows`, `queries`, and `judges`: name → collection → what was measured there."""
    return dict(json.loads(FILE.read_text(encoding="utf-8")))


def nearest(judges: Sequence[str]) -> str:
    """The judge of these whose errors were measured; if they are several, or it was not, the default one."""
    every = measured()["judges"]
    return judges[0] if len(judges) == 1 and judges[0] in every else str(next(iter(every)))


def bounds(judges: Sequence[str], without: str = "") -> Bounds:
    """Of another collection than those that were measured; of judges that were not, the largest of those that were.

    Args:
        judges: of the labels.
        without: a measured collection that is left out, to test the bounds on it.
    """
    every, name = measured()["judges"], nearest(judges)
    found = [_bounds(judge, without) for judge in (every if list(judges) != [name] else [name])]
    return Bounds(max(own.shared for own in found), max(own.apart for own in found), name, found[0].collections)


def _bounds(judge: str, without: str) -> Bounds:
    used = [own for name, own in measured()["judges"][judge].items() if name != without]
    shared, apart = (bound([own["largest_wrong"][kind] for own in used]) for kind in ("shared", "apart"))
    return Bounds(shared, apart, judge, len(used))


def favours(judges: Sequence[str]) -> str:
    """Which rows made sets rank too high and by how many places, in one sentence."""
    found: dict[str, list[float]] = {}
    for own in measured()["judges"][nearest(judges)].values():
        for relation, places in own["places"].items():
            found.setdefault(relation, []).append(float(places))
    count = measured()["rows"]
    names = {"judge's model": "rows with the judge's model", "words": "rows that match words", "other": "other rows"}
    parts = [
        f"{names[relation]} {np.mean(places):+.1f} ({min(places):+.1f} to {max(places):+.1f})"
        for relation, places in sorted(found.items(), key=lambda item: -float(np.mean(item[1])))
    ]
    return f"Places by which such sets ranked {count} rows too high, on average: {', '.join(parts)}."


def orders(judges: Sequence[str]) -> str:
    """How far the order of rows on made sets was that of real judgements, in one sentence."""
    every, judge = measured(), nearest(judges)
    collections = every["judges"][judge]
    taus = ", ".join(f"{name.rpartition('/')[2]} {own['tau']:.2f}" for name, own in collections.items())
    own = list(collections.values())
    plain, naive = (sum(each["by_sampling"][key] for each in own) for key in ("significant", "wrong"))
    called, wrong = (sum(each[key] for each in own) for key in ("significant", "wrong"))
    best = sum(each["best_in_top"] for each in own)
    return (
        f"Measured on {len(own)} collections with real judgements, sets made by {every['generator']} and judged by "
        f"{judge}: Kendall's tau of {every['rows']} rows {taus}. By sampling of the queries alone {naive} of "
        f"{plain} significant differences had the wrong sign; with intervals widened by what was measured on the other "
        f"collections, {wrong} of {called}, and the truly best row was in the top group on {best}."
    )
