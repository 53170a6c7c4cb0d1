"""Tests and intervals hold what they say, in short simulations; the long ones are `benchmarks/calibration.py`."""

from __future__ import annotations

import numpy as np
import pytest

from harness.statistics.calibration import Rate, coverage, detected, false_alarms

RNG = np.random.default_rng(1)
GRADES = np.array([0.0, 0.3562, 0.3869, 0.4307, 0.5, 0.6309, 1.0])
ROWS = RNG.choice(GRADES, (300, 4), p=[0.3, 0.04, 0.04, 0.04, 0.08, 0.15, 0.35])
ALIKE = np.where(RNG.random((300, 4)) < 0.6, ROWS[:, :1], ROWS)
"""Values of four systems that mostly agree, as those of nDCG@10 do with one relevant document a query."""


def test_the_family_wise_error_is_at_most_five_per_cent() -> None:
    rate = false_alarms(ALIKE[:, :3] - ALIKE[:, 3:], 100, runs=500, draws=999)
    assert rate.interval[0] <= 0.05
    assert rate.rate > 0.005, "it can be wrong at all"
    harder = false_alarms(ALIKE[:, :3] - ALIKE[:, 3:], 300, runs=300, draws=999, centred=True)
    assert harder.interval[0] <= 0.06


def test_intervals_hold_the_true_mean_as_often_as_they_say() -> None:
    for values in (ALIKE[:, 0], ALIKE[:, 0] - ALIKE[:, 1]):
        rate = coverage(values, 150, runs=500, resamples=999)
        low, high = rate.interval
        assert low <= 0.97
        assert high >= 0.93


def test_the_minimum_detectable_effect_is_found_four_times_in_five() -> None:
    rate = detected(ALIKE[:, 0] - ALIKE[:, 1], 150, runs=500, draws=999)
    assert rate.rate == pytest.approx(0.8, abs=0.07)


def test_without_a_difference_to_find_and_with_a_large_one() -> None:
    assert false_alarms(np.zeros((20, 2)), 20, runs=5, draws=99).rate == 0
    assert coverage(np.full(20, 0.5), 20, runs=5, resamples=99).rate == 1


def test_a_rate_knows_what_may_be_chance() -> None:
    rate = Rate(100, 2000)
    assert rate.rate == 0.05
    assert rate.interval == pytest.approx((0.0413, 0.0605), abs=5e-4)
