"""Learning curves: scores by the number of training queries, and the number from which on a row is above another."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from harness.statistics.bootstrap import LEVEL, RESAMPLES, Interval, intervals
from harness.statistics.paired import ROUNDING, Values
from harness.statistics.seeds import for_a_new_seed

ALWAYS, NEVER = 0.0, math.inf
"""Break-even of a row that is above at all sizes tried, and of one that is below at the largest."""
_BLOCK = 500


def interval_of(first: Values, second: Values | None = None, level: float = LEVEL) -> Interval:
    """Of a row's mean, or of its mean difference from another row: over queries, and over seeds if there are several.

    Args:
        first: (n, k) values, a query a line and a seed a column.
        second: (n, l) of the other row on the same queries.
        level: confidence.
    """
    other = np.zeros((len(first), 1)) if second is None else second
    if len(first) > 1 and max(first.shape[1], other.shape[1]) > 1:
        found = for_a_new_seed(first, other, level).interval
    else:
        found = intervals(first.mean(1) - other.mean(1), level=level)[0]
    if second is None and len(first) and first.min() >= 0 and first.max() <= 1:
        return replace(
            found, low=max(found.low, 0.0), high=min(found.high, 1.0)
        )  # the mean of scores from 0 to 1 is from 0 to 1
    return found


@dataclass(frozen=True)
class BreakEven:
    """From how many training queries on a row is not below another.

    Args:
        at: number of queries, between those tried; or `ALWAYS` or `NEVER`.
        low: of the interval; `ALWAYS` or `NEVER` if it is open.
        high: of the interval.
        passes: share of the resamples in which it passes within the sizes tried.
        level: confidence.
    """

    at: float
    low: float
    high: float
    passes: float
    level: float = LEVEL


def crossing(sizes: Sequence[float], differences: Values) -> Values:
    """(r,) sizes from which on a curve stays at or above 0, linear between the logarithms of the sizes.

    Args:
        sizes: (m,) ascending, above 0.
        differences: (r, m) of r curves.
    """
    places = np.log(np.asarray(sizes, np.float64))
    below = differences < -ROUNDING
    last = below.shape[1] - 1 - np.argmax(below[:, ::-1], axis=1)  # the last size at which it is below
    sizes_at = np.full(len(differences), ALWAYS)
    sizes_at[below[:, -1]] = NEVER
    crosses = below.any(axis=1) & ~below[:, -1]
    rows, before = np.flatnonzero(crosses), last[crosses]
    low, high = differences[rows, before], differences[rows, before + 1]
    share = -low / np.maximum(high - low, ROUNDING)
    sizes_at[crosses] = np.exp(places[before] + np.clip(share, 0.0, 1.0) * (places[before + 1] - places[before]))
    return sizes_at


def break_even(
    sizes: Sequence[int],
    curve: Sequence[Values],
    baseline: Values,
    seed: int = 0,
    level: float = LEVEL,
    resamples: int = RESAMPLES,
) -> BreakEven:
    """From which size on a learning curve stays above a baseline, with a percentile interval.

    Queries are resampled with the same draws for every size and the baseline, seeds too, since the training queries of
    one seed are nested; with few seeds their part of the interval is too narrow (k drawn from k).

    Args:
        sizes: (m,) numbers of training queries, ascending.
        curve: (n, k) values at each size, one query per line and one seed per column.
        baseline: (n, l) values of the row to pass.
        seed: of the draws.
        level: confidence.
        resamples: how many.
    """
    rng = np.random.default_rng([seed, len(baseline), len(sizes)])
    means = np.array([[values.mean() - baseline.mean() for values in curve]])
    parts = []
    for start in range(0, resamples, _BLOCK):
        block = min(_BLOCK, resamples - start)
        queries = _weights(rng, block, len(baseline))
        seeds = {k: _weights(rng, block, k) for k in sorted({values.shape[1] for values in curve})}
        of_baseline = (queries @ baseline * _weights(rng, block, baseline.shape[1])).sum(1)
        drawn = [(queries @ values * seeds[values.shape[1]]).sum(1) - of_baseline for values in curve]
        parts.append(crossing(sizes, np.stack(drawn, axis=1)))
    at = np.concatenate(parts)
    low, high = np.quantile(at, [(1 - level) / 2, (1 + level) / 2], method="inverted_cdf")
    return BreakEven(float(crossing(sizes, means)[0]), float(low), float(high), float((at < NEVER).mean()), level)


def _weights(rng: np.random.Generator, draws: int, n: int) -> Values:
    """(draws, n) shares of each of n in a resample of n; they sum to 1."""
    places = rng.integers(0, n, (draws, n)) + n * np.arange(draws)[:, None]
    counts: Values = np.bincount(places.ravel(), minlength=draws * n).reshape(draws, n) / n
    return counts
