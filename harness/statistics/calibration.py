"""Whether tests and intervals are what they say on the per-query values at hand: simulations in which the truth is known.

The queries of a real table are the population and are drawn from with replacement, so that the values keep their shape: many
zeros and ones, ties, and long tails.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from harness.statistics.bootstrap import intervals
from harness.statistics.holm import holm
from harness.statistics.paired import Values
from harness.statistics.power import ALPHA, smallest_difference
from harness.statistics.randomisation import many_sign_flips

RUNS = 2000
DRAWS = 2000


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


def false_alarms(
    differences: Values, queries: int, runs: int = RUNS, draws: int = DRAWS, seed: int = 0, *, centred: bool = False
) -> Rate:
    """How often at least one of several contrasts is called different where none is: the family-wise error after Holm.

    Two systems that do not differ are made of two that do by exchanging them on a random half of the queries. `centred` is the
    harder case: the mean difference is taken off all queries, which leaves two systems of other shape with equal means, and zeros
    are no longer zeros; there the test holds its level only as the queries become many.

    Args:
        differences: (n, contrasts) per-query differences of real rows.
        queries: so many are drawn in each run.
        centred: the harder case.
        runs: how many runs.
        draws: of signs, in each test.
        seed: of all draws.
    """
    rng = np.random.default_rng([seed, 1])
    population = differences - differences.mean(0) if centred else differences
    wrong = 0
    for run in range(runs):
        drawn = population[rng.integers(0, len(population), queries)]
        if not centred:
            drawn = drawn * rng.choice([-1.0, 1.0], (queries, 1))
        wrong += min(holm([test.p for test in many_sign_flips(drawn, seed + run, draws)])) <= ALPHA
    return Rate(wrong, runs)


def coverage(values: Values, queries: int, runs: int = RUNS, resamples: int = DRAWS, seed: int = 0) -> Rate:
    """How often a 95 % interval holds the true mean.

    Args:
        values: (n,) of the population.
        queries: so many are drawn in each run.
        runs: how many runs.
        resamples: of each bootstrap.
        seed: of all draws.
    """
    rng = np.random.default_rng([seed, 2])
    truth, held = float(values.mean()), 0
    for run in range(runs):
        (found,) = intervals(values[rng.integers(0, len(values), queries)], seed + run, resamples=resamples)
        held += found.low <= truth <= found.high
    return Rate(held, runs)


def detected(differences: Values, queries: int, runs: int = RUNS, draws: int = DRAWS, seed: int = 0) -> Rate:
    """How often a difference of just the minimum detectable effect is found: 80 % if that is what it says.

    Args:
        differences: (n,) per-query differences of two real rows, shifted so that their true mean is that effect.
        queries: so many are drawn in each run.
        runs: how many runs.
        draws: of signs, in each test.
        seed: of all draws.
    """
    rng = np.random.default_rng([seed, 3])
    centred = differences - differences.mean()
    planted = centred + smallest_difference(float(centred.std()), queries)
    seen = 0
    for run in range(runs):
        drawn = planted[rng.integers(0, len(planted), queries)]
        seen += many_sign_flips(drawn.reshape(-1, 1), seed + run, draws)[0].p <= ALPHA
    return Rate(seen, runs)
