"""How large a difference between two rows may be and still have the wrong sign, because the judge errs.

On a set with a machine's labels a row's mean is off by an error that all queries share, so that no number of queries
removes it. It is measured on collections that have real judgements too: the largest difference with the wrong sign of
any two rows, in standard deviations of its per-query differences, which makes it comparable between measures and
collections. For another collection it is bounded by a prediction interval: the measured ones are a sample of those of
all collections, of which the next one is drawn.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from harness.statistics.paired import ROUNDING, Values
from harness.statistics.student import quantile

CERTAINTY = 0.99
"""Level of the bound. It decides for all pairs of a collection at once, and on no collection may one be called
significant the wrong way, so that it is stricter than an interval."""
LEAST = 3
"""Collections below which there is no bound: a spread of two says nothing."""


def sizes(values: Values) -> Values:
    """(rows, rows) the mean of each pair's differences over their standard deviation; 0 where they do not vary.

    Args:
        values: (n, rows), one query per line; at least two.
    """
    means = values.mean(0)
    gaps = means[:, None] - means
    covariance = np.cov(values.T.astype(np.float64)).reshape(gaps.shape)
    own = np.diag(covariance)
    spread = np.sqrt(np.maximum(own[:, None] + own - 2 * covariance, 0.0))
    found: Values = np.divide(gaps, spread, out=np.zeros_like(gaps), where=spread > ROUNDING)
    return found


def largest_wrong(made: Values, real: Values, pairs: npt.NDArray[np.bool_]) -> float:
    """The largest size of a difference on the made set whose sign is not that of the real one; 0 if all are right.

    Args:
        made: (n, rows) values by the machine's labels.
        real: (m, rows) values of the same rows by real judgements, of the same or of other queries.
        pairs: (rows, rows) which pairs count.
    """
    found = sizes(made)
    means = real.mean(0)
    wrong = pairs & (np.sign(means[:, None] - means) != np.sign(found))
    return float(np.abs(found[wrong]).max(initial=0.0))


def bound(largest: Sequence[float], level: float = CERTAINTY) -> float:
    """What the largest wrong difference of another collection stays below, at the level; infinite for fewer than three.

    The upper prediction limit of a normal sample: mean + t √(1 + 1/n) · standard deviation, and at least the largest
    that was seen (Hahn and Meeker, "Statistical Intervals", 1991, section 4.7).

    Args:
        largest: of each measured collection.
        level: one-sided.
    """
    n = len(largest)
    if n < LEAST:
        return math.inf
    mean, deviation = float(np.mean(largest)), float(np.std(largest, ddof=1))
    limit = mean + quantile(level, n - 1) * math.sqrt(1 + 1 / n) * deviation
    return max(limit, *largest)
