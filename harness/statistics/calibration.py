"""Whether intervals, verdicts and ranks have their nominal error rates: simulations with a known truth.

The queries of a real table are the population; samples are drawn from it with replacement, so that the values keep
their distribution: many zeros and ones, ties, and long tails.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from harness.statistics.bootstrap import intervals
from harness.statistics.family import Family, Flags, family
from harness.statistics.largest import Places
from harness.statistics.paired import ROUNDING, Values
from harness.statistics.power import smallest_difference
from harness.statistics.ranks import ranks

RUNS = 1000
DRAWS = 999
Contrasts = tuple[Places, Places]


@dataclass(frozen=True)
class Rate:
    """How often something happened.

    Args:
        count: number of runs in which it did.
        runs: number of all runs.
    """

    count: int
    runs: int

    @property
    def rate(self) -> float:
        """Share of the runs."""
        return self.count / self.runs

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of the rate (Wilson 1927): what may be chance."""
        from scipy import stats  # slow to import, and a listing needs none of it

        found = stats.binomtest(self.count, self.runs).proportion_ci(method="wilson")
        return float(found.low), float(found.high)


@dataclass(frozen=True)
class SimultaneousCoverage:
    """How often the results of a family are right.

    Args:
        intervals: all intervals of its contrasts contain the true differences.
        best: all intervals of differences from the row with the highest mean do; None for planned contrasts.
        ranks: all ranges of ranks contain the true ranks, and no row is called significantly better than a row that is
            as good; None for planned contrasts.
    """

    intervals: Rate
    best: Rate | None = None
    ranks: Rate | None = None


def simultaneous_coverage(
    values: Values,
    queries: int,
    runs: int = RUNS,
    draws: int = DRAWS,
    seed: int = 0,
    contrasts: Contrasts | None = None,
) -> SimultaneousCoverage:
    """How often the simultaneous intervals of a family contain all true differences, and the ranges of ranks all true
    ranks.

    1 minus the first rate is also the family-wise error for rows of equal means but different distributions, for which
    randomisation tests give no guarantee: whether an interval fails does not depend on the true difference.

    Args:
        values: (n, rows) per-query values, the population.
        queries: so many are drawn in each run.
        runs: how many runs.
        draws: of resamples in each run.
        seed: of all draws.
        contrasts: columns of planned contrasts; None for all pairs.
    """
    truth = values.mean(0)
    first, second = np.triu_indices(len(truth), 1) if contrasts is None else contrasts
    true = truth[first] - truth[second]
    counts = np.zeros(3, np.int64)
    for drawn, found in _families(values, queries, runs, draws, (seed, 1), contrasts):
        low, high = (
            np.array([(d.interval.low, d.interval.high) for d in found.differences(first, second)]).reshape(-1, 2).T
        )
        hit = (low - ROUNDING <= true) & (true <= high + ROUNDING)
        counts[0] += hit.all()
        if contrasts is None:
            top = int(drawn.mean(0).argmax())
            counts[1] += hit[(first == top) | (second == top)].all()
            counts[2] += _rightly_ranked(found.better(), truth)
    rates = [Rate(int(count), runs) for count in counts]
    return SimultaneousCoverage(*rates) if contrasts is None else SimultaneousCoverage(rates[0])


def _rightly_ranked(better: Flags, truth: Values) -> bool:
    above = truth[:, None] > truth + ROUNDING
    low, high = ranks(better)
    right = (low <= 1 + above.sum(0)) & (high >= len(truth) - above.sum(1))
    return bool(right.all() and not (better & ~above).any())


def false_alarms(
    values: Values,
    queries: int,
    runs: int = RUNS,
    draws: int = DRAWS,
    seed: int = 0,
    contrasts: Contrasts | None = None,
) -> Rate:
    """How often at least one contrast is significant if no row differs: the family-wise error.

    Rows without a difference are made by exchanging the values of all rows at random, query by query.

    Args:
        values: (n, rows) per-query values, the population.
        queries: so many are drawn in each run.
        runs: how many runs.
        draws: of resamples in each run.
        seed: of all draws.
        contrasts: columns of planned contrasts; None for all pairs.
    """
    first, second = np.triu_indices(values.shape[1], 1) if contrasts is None else contrasts
    families = _families(values, queries, runs, draws, (seed, 3), contrasts, mixed=True)
    return Rate(sum(any(not d.tied for d in found.differences(first, second)) for _, found in families), runs)


def coverage(values: Values, queries: int, runs: int = RUNS, resamples: int = DRAWS, seed: int = 0) -> Rate:
    """How often a 95 % interval of a row's mean contains the true mean.

    Args:
        values: (n,) of the population.
        queries: so many are drawn in each run.
        runs: how many runs.
        resamples: of each bootstrap.
        seed: of all draws.
    """
    rng = np.random.default_rng([seed, 4])
    truth, hits = float(values.mean()), 0
    for run in range(runs):
        (found,) = intervals(values[rng.integers(0, len(values), queries)], seed + run, resamples=resamples)
        hits += found.low <= truth <= found.high
    return Rate(hits, runs)


def detected(
    values: Values, pair: tuple[int, int], queries: int, runs: int = RUNS, draws: int = DRAWS, seed: int = 0
) -> Rate:
    """How often a true difference as large as the family's minimum detectable effect is significant; should be 80 %.

    Args:
        values: (n, rows) per-query values; all pairs are the family.
        pair: two columns; the first is shifted, so that their true difference is that effect.
        queries: so many are drawn in each run.
        runs: how many runs.
        draws: of resamples in each run.
        seed: of all draws.
    """
    one, other = pair
    gap = values[:, one] - values[:, other]
    seen = 0
    for _, found in _families(values, queries, runs, draws, (seed, 5), None):
        planted = smallest_difference(float(gap.std()), queries, found.pairwise_alpha()) - gap.mean()
        difference = found.difference(one, other)  # a shift only moves the interval
        seen += difference.interval.low + planted > 0
    return Rate(seen, runs)


def _families(
    population: Values,
    queries: int,
    runs: int,
    draws: int,
    seeds: tuple[int, int],
    contrasts: Contrasts | None,
    *,
    mixed: bool = False,
) -> Iterator[tuple[Values, Family]]:
    rng = np.random.default_rng(seeds)
    for run in range(runs):
        drawn = population[rng.integers(0, len(population), queries)]
        drawn = rng.permuted(drawn, axis=1) if mixed else drawn
        first, second = contrasts or (None, None)
        yield drawn, family([drawn], first, second, seed=seeds[0] + run, draws=draws)
