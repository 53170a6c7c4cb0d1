"""Confidence intervals of a mean over queries, by resampling the queries."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from harness.statistics.paired import ROUNDING, Values

RESAMPLES = 10_000
LEVEL = 0.95
_BLOCK = 4_000_000


@dataclass(frozen=True)
class Interval:
    """From `low` to `high`, at confidence `level`."""

    low: float
    high: float
    level: float = LEVEL


def intervals(values: Values, seed: int = 0, level: float = LEVEL, resamples: int = RESAMPLES) -> list[Interval]:
    """Of the mean of each column, bias-corrected and accelerated (BCa).

    Source: Efron (1987), with the closed form of the acceleration of a mean, Σ(x − x̄)³ / 6(Σ(x − x̄)²)^1.5. All columns are
    resampled with the same draws of queries.

    Args:
        values: (n,) or (n, columns), a query a line.
        seed: gives the same intervals again.
        level: confidence.
        resamples: how many.
    """
    table = values.reshape(len(values), -1)
    n = len(table)
    means = table.mean(0)
    deviations = table - means
    squares = (deviations**2).sum(0)
    rng = np.random.default_rng([seed, n])
    drawn = np.empty((resamples, table.shape[1]))
    block = max(1, _BLOCK // deviations.size)
    for start in range(0, resamples, block):
        stop = min(resamples, start + block)
        drawn[start:stop] = deviations[rng.integers(0, n, (stop - start, n))].mean(1)
    found = []
    tail = stats.norm.ppf((1 - level) / 2)
    for column, mean in enumerate(means):
        if squares[column] <= n * ROUNDING**2:
            found.append(Interval(float(mean), float(mean), level))
            continue
        here = drawn[:, column]
        below = ((here < -ROUNDING).sum() + (here < ROUNDING).sum()) / (2 * resamples)  # one that hits the mean counts half
        bias = stats.norm.ppf(np.clip(below, 1 / (resamples + 1), 1 - 1 / (resamples + 1)))
        speed = (deviations[:, column] ** 3).sum() / (6 * squares[column] ** 1.5)
        ends = [bias + (bias + z) / (1 - speed * (bias + z)) for z in (tail, -tail)]
        low, high = np.quantile(here, stats.norm.cdf(ends))
        found.append(Interval(float(mean + low), float(mean + high), level))
    return found
