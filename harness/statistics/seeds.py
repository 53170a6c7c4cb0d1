"""Several seeds of one recipe: how much of the variance is due to the queries, how much to the seeds."""

from __future__ import annotations

import math
from dataclasses import dataclass

from harness.statistics.bootstrap import LEVEL, Interval
from harness.statistics.paired import ROUNDING, Values
from harness.statistics.student import quantile, upper_tail


@dataclass(frozen=True)
class Components:
    """Variances of the values of one row, queries crossed with seeds.

    Args:
        query: between queries.
        seed: between seeds, the same for all queries: by which another seed moves the mean.
        rest: of a query under a seed, without both.
    """

    query: float
    seed: float
    rest: float


def components(values: Values) -> Components:
    """The variance components of a two-way crossed random-effects model, by moments (Searle, Casella and McCulloch
    1992, section 4.3); a negative estimate is 0.

    Args:
        values: (n queries, k seeds), both at least 2.
    """
    n, k = values.shape
    by_query, by_seed, mean = values.mean(1), values.mean(0), values.mean()
    query = k * by_query.var(ddof=1)
    seed = n * by_seed.var(ddof=1)
    left = values - by_query[:, None] - by_seed[None, :] + mean
    rest = float((left**2).sum() / ((n - 1) * (k - 1)))
    return Components(max(0.0, float(query - rest) / k), max(0.0, float(seed - rest) / n), rest)


@dataclass(frozen=True)
class NewSeed:
    """A difference between recipes, including models trained with other seeds.

    Args:
        mean: over queries and seeds.
        p: two-sided.
        interval: of the mean.
        query_part: share of the squared standard error that more queries would reduce.
    """

    mean: float
    p: float
    interval: Interval
    query_part: float


def for_a_new_seed(first: Values, second: Values, level: float = LEVEL) -> NewSeed:
    """Tests the difference of two recipes, not of two checkpoints: queries and seeds are both samples.

    The squared standard error is the variance of the queries' mean differences over n, plus each side's seed variance
    over its number of seeds; degrees of freedom by Satterthwaite (1946). A side of one column (BM25 has no seed) has no
    seed variance.

    Args:
        first: (n, k) values, one query per line and one seed per column, k at least 1.
        second: (n, l), of the same queries.
        level: of the interval.
    """
    n = len(first)
    differences = first.mean(1) - second.mean(1)
    mean = float(differences.mean())
    parts = [(float(differences.var(ddof=1)) / n, n - 1)]
    trained = [side for side in (first, second) if side.shape[1] > 1]
    parts += [(components(side).seed / side.shape[1], side.shape[1] - 1) for side in trained]
    squared = sum(part for part, _ in parts)
    if squared <= ROUNDING**2:
        return NewSeed(mean, float(abs(mean) <= ROUNDING), Interval(mean, mean, level), 1.0)
    freedom = squared**2 / sum(part**2 / df for part, df in parts)
    error = math.sqrt(squared)
    p = 2 * float(upper_tail(abs(mean) / error, freedom))
    reach = quantile((1 + level) / 2, freedom) * error
    return NewSeed(mean, p, Interval(mean - reach, mean + reach, level), parts[0][0] / squared)
