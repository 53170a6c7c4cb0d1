"""Power: the smallest difference that a number of queries detects, and how many queries a difference needs."""

from __future__ import annotations

import math

from harness.statistics.family import fewest
from harness.statistics.student import noncentral_tails, quantile

ALPHA = 0.05
POWER = 0.8
MOST_QUERIES = 10_000_000


def power_of(difference: float, deviation: float, queries: int, alpha: float = ALPHA) -> float:
    """Power of a two-sided paired t-test at `alpha` for a true mean difference.

    Args:
        difference: the true mean difference.
        deviation: standard deviation of the per-query differences.
        queries: how many.
        alpha: significance level.
    """
    if queries < 2 or deviation <= 0:
        return float(queries >= 2 and difference != 0)
    freedom = queries - 1
    shift = abs(difference) / deviation * math.sqrt(queries)
    edge = quantile(1 - alpha / 2, freedom)
    if shift > max(30, 3 * edge):  # the noncentral t is inaccurate there, and the power is 1
        return 1.0
    wrong_way, right_way = noncentral_tails(edge, freedom, shift)
    return right_way + (wrong_way if math.isfinite(wrong_way) else 0.0)


def too_few(queries: int) -> bool:
    """Whether there are too few queries for a verdict, whatever the values; by `fewest`, as for verdicts."""
    return queries < fewest(1 - ALPHA)


def smallest_difference(
    deviation: float, queries: int, alpha: float = ALPHA, power: float = POWER, size: float = 0.0
) -> float:
    """The minimum detectable effect: the true mean difference detected with power `power`; infinite if `too_few`.

    With a judge's errors of a `size`, in deviations, the critical value is that of the widened intervals.
    """
    if too_few(queries):
        return math.inf
    if deviation <= 0:
        return 0.0
    if size > 0:
        detected = smallest_difference(deviation, queries, alpha, power)
        if not math.isfinite(detected):
            return detected
        half = quantile(1 - alpha / 2, queries - 1) * deviation / math.sqrt(queries)
        return detected - half + math.hypot(half, size * deviation)
    most = 30 * deviation / math.sqrt(queries)
    while power_of(most, deviation, queries, alpha) < power:
        if most > 1e6 * deviation:
            return math.inf
        most *= 2
    least = 0.0
    while most - least > 1e-12 * deviation and least < (middle := (least + most) / 2) < most:
        if power_of(middle, deviation, queries, alpha) < power:
            least = middle
        else:
            most = middle
    return most


def queries_needed(difference: float, deviation: float, alpha: float = ALPHA, power: float = POWER) -> int:
    """How many queries detect a true mean difference with power `power`; at most 10 million.

    Raises:
        ValueError: the difference is 0, which no number of queries detects.
    """
    if difference == 0:
        raise ValueError("a difference of 0 is not detected by any number of queries")

    def enough(queries: int) -> bool:
        return not too_few(queries) and power_of(difference, deviation, queries, alpha) >= power

    low, high = 1, 2
    while high < MOST_QUERIES and not enough(high):
        low, high = high, high * 2
    high = min(high, MOST_QUERIES)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high
