"""Convex combination: a weighted mean of normalised scores, the weight chosen on dev queries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from harness.base.errors import SettingError
from harness.choices.bounds import Share
from harness.data.ranking import Floats, Ints
from harness.fusions import Fusion

STEPS = 20


@dataclass(frozen=True)
class Convex(Fusion):
    """(1 − w) · first + w · second, each ranking's scores normalised per query first.

    Source: Bruch, Gai and Ingber, "An Analysis of Fusion Functions for Hybrid Retrieval" (TOIS 2023), eq. 4; a document
    that is missing from a ranking gets the lower of 0 and that ranking's lowest normalised score.

    Args:
        weight: w, the share of the second ranking, 0 to 1; None chooses it on the dev queries (steps of 0.05); without
            dev queries it is 0.5, with a note in the record.
        normalise: `minmax` maps a ranking's scores to 0…1; `zscore` to mean 0 and deviation 1.
    """

    weight: Share | None = None
    normalise: Literal["minmax", "zscore"] = "minmax"

    def candidates_for_dev(self, methods: int) -> Sequence[Convex]:
        """Weights in steps of 0.05, the middle first, so that a tie goes to the even mixture."""
        if methods != 2:
            raise SettingError(f"convex fuses two methods, not {methods}; use fusion=rrf for more.")
        if self.weight is not None:
            return ()
        grid = sorted((i / STEPS for i in range(STEPS + 1)), key=lambda w: (abs(w - 0.5), w))
        return [replace(self, weight=w) for w in grid]

    def scores(self, rankings: Sequence[tuple[Ints, Floats]], candidates: Ints) -> Floats:
        """See `Fusion.scores`."""
        share = 0.5 if self.weight is None else self.weight
        total = np.zeros(len(candidates), dtype=np.float64)
        for weight, (indices, scores) in zip((1 - share, share), rankings, strict=True):
            if len(indices):
                normal = NORMALISERS[self.normalise](scores.astype(np.float64))
                column = np.full(len(candidates), min(0.0, normal.min()))
                column[np.searchsorted(candidates, indices)] = normal
                total += weight * column
        return total.astype(np.float32)


def _minmax(scores: np.ndarray) -> np.ndarray:
    low, high = scores.min(), scores.max()
    return (scores - low) / (high - low) if high > low else np.ones_like(scores)


def _zscore(scores: np.ndarray) -> np.ndarray:
    deviation = scores.std()
    return (scores - scores.mean()) / deviation if deviation > 0 else np.zeros_like(scores)


NORMALISERS = {"minmax": _minmax, "zscore": _zscore}
