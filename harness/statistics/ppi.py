"""Prediction-powered estimates: all queries have machine labels, some have people's, and the mean is that of people.

Sources: Angelopoulos et al., "Prediction-powered inference" (2301.09633), and Angelopoulos, Duchi and Zrnic, "PPI++"
(2311.01453): the mean of λ · machine over the queries without people's labels, plus the mean of people − λ · machine
over those with them. It is unbiased for every λ if the latter are a random sample of the queries; the best λ between 0
(people's labels alone) and 1 is estimated from the data.

Both parts are means of independent samples, so that their sum is a mean over two strata: `strata` gives values for
`harness.statistics.family` and `harness.statistics.bootstrap`, whose intervals and tests then hold for the estimate.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from harness.statistics.bootstrap import LEVEL, Interval
from harness.statistics.paired import Values
from harness.statistics.student import quantile

LEAST = 10
"""Queries with people's labels below which nothing is estimated: the spread of the judge's errors is not known."""


def tuned(people: Values, machine: Values, others: Values) -> float:
    """The λ, from 0 to 1, with the least total variance over all columns (PPI++, equation 6 for means).

    Args:
        people: (n, columns) values by people's labels.
        machine: (n, columns) values of the same queries by machine labels.
        others: (N, columns) values of the other queries by machine labels.
    """
    n, more = len(people), len(others)
    if n < 2 or more < 2:
        return 0.0
    covariance = float(((people - people.mean(0)) * (machine - machine.mean(0))).sum()) / (n - 1)
    together = np.concatenate([machine, others])
    variance = float(((together - together.mean(0)) ** 2).sum()) / (len(together) - 1)
    return float(np.clip(covariance / ((1 + n / more) * variance), 0.0, 1.0)) if variance > 0 else 0.0


def tuned_for_differences(people: Values, machine: Values, others: Values) -> float:
    """The λ with the least total variance of the differences between all pairs of columns; of one column, its own."""
    if people.shape[1] < 2:
        return tuned(people, machine, others)
    # The variances of all pairwise differences add up to the variances of the columns without their common part.
    return tuned(*(values - values.mean(1, keepdims=True) for values in (people, machine, others)))


def strata(people: Values, machine: Values, others: Values, weight: float) -> list[Values]:
    """Values in one or two strata; the mean over strata of their means is the estimate, column by column.

    Args:
        people: as for `tuned`.
        machine: as for `tuned`.
        others: as for `tuned`.
        weight: λ.
    """
    if weight == 0 or not len(others):
        return [people]
    return [2 * weight * others, 2 * (people - weight * machine)]


def estimates(parts: Sequence[Values]) -> Values:
    """(columns,) the estimated means of the strata."""
    return np.asarray(np.mean([part.mean(0) for part in parts], axis=0))


def intervals(parts: Sequence[Values], level: float = LEVEL) -> list[Interval]:
    """Of each column's estimate, by Student's t with Satterthwaite's degrees of freedom.

    The differences of people and machine lose one degree of freedom more, since λ was chosen on them.

    Args:
        parts: of `strata`.
        level: confidence.
    """
    found = []
    lost = [1, 2][: len(parts)]
    variances = np.array(
        [part.var(axis=0, ddof=d) / (len(parts) ** 2 * len(part)) for part, d in zip(parts, lost, strict=True)]
    )
    freedom = np.array([[len(part) - d] for part, d in zip(parts, lost, strict=True)], np.float64)
    for column, mean in enumerate(estimates(parts).tolist()):
        own = variances[:, column]
        total = float(own.sum())
        half = 0.0
        if total > 0:
            degrees = total**2 / float((own**2 / freedom[:, 0]).sum())
            half = quantile(1 - (1 - level) / 2, degrees) * math.sqrt(total)
        found.append(Interval(mean - half, mean + half, level))
    return found


def people_needed(people: Values, machine: Values, others: Values, difference: float, level: float = LEVEL) -> int:
    """Queries with people's labels in all that would detect a difference of two columns with 80 % power, at most all.

    By the normal approximation: the standard error must be the difference over 2.8 (at 95 %).

    Args:
        people: (n, 2), as for `tuned`.
        machine: (n, 2).
        others: (N, 2).
        difference: to detect, above 0.
        level: confidence.
    """
    turned = [values[:, :1] - values[:, 1:2] for values in (people, machine, others)]
    weight = tuned(turned[0], turned[1], turned[2])
    every = len(people) + len(others)
    reach = difference / (quantile(1 - (1 - level) / 2, 10**6) + quantile(0.8, 10**6))
    error = float((turned[0] - weight * turned[1]).var(ddof=1))
    noise = float(weight**2 * np.concatenate([turned[1], turned[2]]).var(ddof=1))
    for n in range(len(people), every):
        if error / n + noise / (every - n) <= reach**2:
            return n
    return every
