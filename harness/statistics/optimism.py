"""Optimism of selection: the best of many scores higher on the queries that chose it than on others."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from harness.statistics.bootstrap import LEVEL, Interval
from harness.statistics.paired import ROUNDING, Values
from harness.statistics.student import quantile

RESAMPLES = 2000


@dataclass(frozen=True)
class Optimism:
    """A gain on the queries that chose, and on queries that did not.

    Args:
        looked: mean gain on the queries that chose.
        found: mean gain on the others.
        interval: of the difference `looked − found`, both sets of queries being samples; None if one has a single
            query.
    """

    looked: float
    found: float
    interval: Interval | None

    @property
    def difference(self) -> float:
        """By how much the choice overstated the gain."""
        return self.looked - self.found


def optimism(chose: Values, others: Values, level: float = LEVEL) -> Optimism:
    """Compares the gain on the queries that chose with that on others; Welch's interval of the difference of two means
    (1947).

    Args:
        chose: (n,) gains over the baseline, of the queries on which the choice was made.
        others: (m,) gains on other queries.
        level: confidence.
    """
    looked, found = float(chose.mean()), float(others.mean())
    if min(len(chose), len(others)) < 2:
        return Optimism(looked, found, None)
    parts = [(float(gains.var(ddof=1)) / len(gains), len(gains) - 1) for gains in (chose, others)]
    squared = sum(part for part, _ in parts)
    if squared <= ROUNDING**2:
        return Optimism(looked, found, Interval(looked - found, looked - found, level))
    freedom = squared**2 / sum(part**2 / df for part, df in parts)
    reach = quantile((1 + level) / 2, freedom) * math.sqrt(squared)
    return Optimism(looked, found, Interval(looked - found - reach, looked - found + reach, level))


def winners_curse(values: Values, seed: int = 0, resamples: int = RESAMPLES) -> float:
    """How much of the best candidate's mean is due to its being chosen on the same queries.

    Queries are resampled, the best candidate of each resample is evaluated on the queries left out of it, and the mean
    of these scores is subtracted from the best mean of all. Source: Tsamardinos, Greasidou and Borboudakis (2018),
    bootstrap bias correction (BBC-CV). A resample has 63 % of the queries, so the estimate is rather too high than too
    low.

    Args:
        values: (n, c) of c candidates, one query per line; the mean over the seeds of each.
        seed: of the draws.
        resamples: how many.
    """
    n = len(values)
    if n < 2:
        return 0.0
    rng = np.random.default_rng([seed, n, values.shape[1]])
    left_out = []
    for _ in range(resamples):
        drawn = rng.integers(0, n, n)
        outside = np.bincount(drawn, minlength=n) == 0
        if outside.any():
            left_out.append(values[outside, np.argmax(values[drawn].mean(0))].mean())
    return float(values.mean(0).max() - np.mean(left_out))
