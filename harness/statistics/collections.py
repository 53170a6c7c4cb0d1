"""Collections as a sample: what a mean difference over a few collections says about others."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from harness.statistics.bootstrap import LEVEL, Interval
from harness.statistics.family import Difference
from harness.statistics.paired import ROUNDING
from harness.statistics.student import quantile, upper_tail

FEWEST = 3
"""Collections for an interval; with two, Student's t at one degree of freedom is wider than any difference."""


def over_collections(differences: Sequence[float], level: float = LEVEL) -> Difference:
    """The mean of one paired difference per collection, for collections drawn at random from those of their kind.

    Student's t over the D collections, each counted once (Student 1908; datasets as the sample, Demšar 2006). The
    spread of the differences has that of their queries in it. A bootstrap of so few collections is too narrow: its
    variance is (D − 1) / D of the sample's, and its quantiles are nearly normal (Cameron, Gelbach, Miller 2008).

    Args:
        differences: (D,) a row's mean minus another's, on each collection.
        level: confidence of this one interval; it is not corrected for others.

    Returns:
        The interval is infinite with fewer than `FEWEST` collections.
    """
    values = np.asarray(differences, np.float64)
    count, mean = len(values), float(values.mean())
    if count < FEWEST:
        return Difference(mean, Interval(-math.inf, math.inf, level), 1.0, math.inf)
    error = float(values.std(ddof=1)) / math.sqrt(count)
    if error <= ROUNDING:
        equal = abs(mean) <= ROUNDING
        return Difference(mean, Interval(mean, mean, level), 1.0 if equal else 0.0, 0.0)
    reach = quantile((1 + level) / 2, count - 1) * error
    p = float(2 * upper_tail(abs(mean) / error, count - 1))
    return Difference(mean, Interval(mean - reach, mean + reach, level), p, error)
