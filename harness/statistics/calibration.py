"""Whether intervals, verdicts and ranks are what they say on the per-query values at hand: simulations with a known
truth.

The queries of a real table are the population and are drawn from with replacement, so that the values keep their shape:
many zeros and ones, ties, and long tails.
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
        count: in so many runs.
        runs: of these.
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
class Held:
    """How often a family holds the truth.

    Args:
        intervals: every interval of its contrasts holds the true difference.
        best: every interval of a difference from the row that looked best does; None for planned contrasts.
        ranks: every row's range of ranks has its true rank, and no row is called better than one that it is not better
            than; None for planned contrasts.
    """

    intervals: Rate
    best: Rate | None = None
    ranks: Rate | None = None


def held(
    values: Values,
    queries: int,
    runs: int = RUNS,
    draws: int = DRAWS,
    seed: int = 0,
    contrasts: Contrasts | None = None,
) -> Held:
    """How often the simultaneous intervals of a family hold all true differences, and the ranges of ranks all true
    ranks.

    One less the first rate is also the family-wise error of rows that do not differ in their means but in their shape,
    which no
    randomisation test promises anything for: an interval fails wherever its difference is shifted to.

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
        told = found.differences(first, second)
        hit = np.array(
            [d.interval.low - ROUNDING <= t <= d.interval.high + ROUNDING for d, t in zip(told, true, strict=True)]
        )
        counts[0] += hit.all()
        if contrasts is None:
            top = int(drawn.mean(0).argmax())
            counts[1] += hit[(first == top) | (second == top)].all()
            counts[2] += _rightly_ranked(found.better(), truth)
    rates = [Rate(int(count), runs) for count in counts]
    return Held(*rates) if contrasts is None else Held(rates[0])


def _rightly_ranked(better: Flags, truth: Values) -> bool:
    above = truth[:, None] > truth + ROUNDING
    low, high = ranks(better)
    return bool(
        not (better & ~above).any() and (low <= 1 + above.sum(0)).all() and (high >= len(truth) - above.sum(1)).all()
    )


def false_alarms(
    values: Values,
    queries: int,
    runs: int = RUNS,
    draws: int = DRAWS,
    seed: int = 0,
    contrasts: Contrasts | None = None,
) -> Rate:
    """How often at least one contrast is called different where no row differs: the family-wise error.

    Rows that do not differ are made of those that do by exchanging their values at random, query by query.

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
    """How often a 95 % interval of a row's mean holds the true mean.

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
    """How often a true difference of just the smallest that is told for the family is found: 80 % if that is what it
    says.

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
        told = found.difference(one, other)  # a shift moves the difference and nothing else
        seen += told.interval.low + planted > 0
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
