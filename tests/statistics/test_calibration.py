"""Families and intervals hold what they say, in short simulations; the long ones are `benchmarks/calibration.py`."""

from __future__ import annotations

import numpy as np
import pytest

from harness.statistics.calibration import Rate, coverage, detected, false_alarms, simultaneous_coverage

RNG = np.random.default_rng(1)
GRADES = np.array([0.0, 0.3562, 0.3869, 0.4307, 0.5, 0.6309, 1.0])
ROWS = RNG.choice(GRADES, (300, 5), p=[0.3, 0.04, 0.04, 0.04, 0.08, 0.15, 0.35])
ALIKE = np.where(RNG.random((300, 5)) < 0.6, ROWS[:, :1], ROWS)
"""Values of five systems that mostly agree, as those of nDCG@10 do with one relevant document a query."""
STAR = (np.zeros(4, np.intp), np.arange(1, 5))


@pytest.mark.parametrize("contrasts", [None, STAR])
def test_the_family_wise_error_is_at_most_five_per_cent(contrasts: tuple[np.ndarray, np.ndarray] | None) -> None:
    rate = false_alarms(ALIKE, 80, runs=300, draws=499, contrasts=contrasts)
    assert rate.interval[0] <= 0.05
    assert rate.rate > 0.005, "it can be wrong at all"


def test_simultaneous_intervals_and_ranks_hold_the_truth_as_often_as_they_say() -> None:
    found = simultaneous_coverage(ALIKE, 50, runs=300, draws=499)
    assert found.best is not None
    assert found.ranks is not None
    assert found.intervals.rate <= 0.97
    assert found.intervals.interval[1] >= 0.945
    assert found.intervals.rate <= found.best.rate
    assert found.intervals.rate <= found.ranks.rate
    planned = simultaneous_coverage(ALIKE, 50, runs=300, draws=499, contrasts=STAR)
    assert planned.intervals.interval[1] >= 0.945
    assert (planned.best, planned.ranks) == (None, None)


def test_intervals_of_means_hold_the_truth_as_often_as_they_say() -> None:
    low, high = coverage(ALIKE[:, 0], 150, runs=500, resamples=999).interval
    assert low <= 0.97
    assert high >= 0.93


@pytest.mark.parametrize("rows", [2, 5])
def test_the_smallest_difference_is_found_four_times_in_five(rows: int) -> None:
    rate = detected(ALIKE[:, :rows], (0, 1), 150, runs=300, draws=499)
    assert rate.rate == pytest.approx(0.8, abs=0.08)


def test_without_a_difference_to_find() -> None:
    same = np.repeat(RNG.random((20, 1)), 3, axis=1)
    assert false_alarms(same, 20, runs=5, draws=99).rate == 0
    assert simultaneous_coverage(same, 20, runs=5, draws=99).intervals.rate == 1
    assert coverage(np.full(20, 0.5), 20, runs=5, resamples=99).rate == 1


def test_a_rate_knows_what_may_be_chance() -> None:
    rate = Rate(100, 2000)
    assert rate.rate == 0.05
    assert rate.interval == pytest.approx((0.0413, 0.0605), abs=5e-4)
