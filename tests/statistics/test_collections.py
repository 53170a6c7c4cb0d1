"""Collections as a sample."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from harness.statistics.collections import over_collections

SEVEN = [0.02, 0.05, -0.01, 0.03, 0.04, 0.00, 0.06]


def test_it_is_students_t_over_the_collections() -> None:
    found = over_collections(SEVEN)
    slow = stats.ttest_1samp(SEVEN, 0.0)
    low, high = slow.confidence_interval(0.95)
    assert (found.mean, found.p) == pytest.approx((np.mean(SEVEN), slow.pvalue))
    assert (found.interval.low, found.interval.high) == pytest.approx((low, high))
    assert found.tied is bool(slow.pvalue > 0.05)


def test_it_covers_other_collections_where_a_bootstrap_of_seven_does_not() -> None:
    rng = np.random.default_rng(0)
    samples = rng.normal(0.02, 0.03, (2_000, 7))
    covered = np.mean([abs(over_collections(row).mean - 0.02) <= _half(row) for row in samples])
    assert 0.94 < covered < 0.96
    means = samples[:, rng.integers(0, 7, (400, 7))].mean(2)
    low, high = np.quantile(means, [0.025, 0.975], axis=1)
    assert np.mean((low <= 0.02) & (high >= 0.02)) < 0.92


def _half(row: np.ndarray) -> float:
    interval = over_collections(row.tolist()).interval
    return (interval.high - interval.low) / 2


def test_two_collections_say_nothing_and_equal_differences_have_no_spread() -> None:
    assert math.isinf(over_collections([0.1, 0.2]).interval.high)
    assert over_collections([0.1, 0.2]).tied
    assert not over_collections([0.1, 0.1, 0.1]).tied
    assert over_collections([0.0, 0.0, 0.0]).p == 1.0
