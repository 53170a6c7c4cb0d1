"""Learning curves: intervals, and the break-even point against arithmetic by hand and slow loops."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.statistics.bootstrap import intervals
from harness.statistics.curves import ALWAYS, NEVER, break_even, crossing, interval_of
from harness.statistics.seeds import for_a_new_seed

SIZES = [100, 300, 900]


def one(*differences: float, sizes: list[int] = SIZES) -> float:
    return float(crossing(sizes, np.array([differences]))[0])


def test_the_crossing_by_hand() -> None:
    # half-way between log 100 and log 300 is the geometric mean
    assert one(-0.1, 0.1, 0.2) == pytest.approx(math.sqrt(100 * 300))
    # a quarter of the way from log 300 to log 900
    assert one(-0.3, -0.1, 0.3) == pytest.approx(300 * 3**0.25)
    assert one(0.0, 0.1, 0.2) == ALWAYS
    assert one(-0.3, -0.2, -0.1) == NEVER
    assert one(0.2, 0.1, -0.1) == NEVER, "above at first and below in the end"
    assert one(0.2, -0.1, 0.1) == pytest.approx(math.sqrt(300 * 900)), "for good, not for the first time"
    assert one(-0.1, 0.0, 0.1) == pytest.approx(300)
    assert one(-0.1, sizes=[100]) == NEVER
    assert one(0.1, sizes=[100]) == ALWAYS


def slow(sizes: list[int], differences: list[float]) -> float:
    if differences[-1] < -1e-9:
        return NEVER
    for i in range(len(sizes) - 2, -1, -1):
        if differences[i] < -1e-9:
            part = -differences[i] / (differences[i + 1] - differences[i])
            return math.exp(math.log(sizes[i]) + min(1.0, part) * (math.log(sizes[i + 1]) - math.log(sizes[i])))
    return ALWAYS


@given(st.lists(st.integers(-20, 20), min_size=1, max_size=6))
def test_the_crossing_against_a_loop(whole: list[int]) -> None:
    sizes = [50 * 2**i for i in range(len(whole))]
    differences = [w / 100 for w in whole]
    assert one(*differences, sizes=sizes) == pytest.approx(slow(sizes, differences))


@pytest.fixture
def curve() -> tuple[list[np.ndarray], np.ndarray]:
    rng = np.random.default_rng(3)
    ease = rng.random((60, 1))
    made = [np.clip(ease + mean + 0.1 * rng.standard_normal((60, 3)), 0, 2) for mean in (-0.1, 0.1, 0.15)]
    return made, ease


def test_break_even_has_the_crossing_of_the_means_and_an_interval_around_it(
    curve: tuple[list[np.ndarray], np.ndarray],
) -> None:
    values, baseline = curve
    found = break_even(SIZES, values, baseline)
    assert found.at == pytest.approx(slow(SIZES, [v.mean() - baseline.mean() for v in values]))
    assert 100 < found.low < found.at < found.high < 300
    assert found.passes == 1.0
    assert break_even(SIZES, values, baseline) == found, "the same draws again"


def test_break_even_against_a_slow_bootstrap(curve: tuple[list[np.ndarray], np.ndarray]) -> None:
    values, baseline = curve
    rng = np.random.default_rng(0)
    drawn = []
    for _ in range(2000):
        rows, columns = rng.integers(0, 60, 60), rng.integers(0, 3, 3)
        drawn.append(slow(SIZES, [v[rows][:, columns].mean() - baseline[rows].mean() for v in values]))
    found = break_even(SIZES, values, baseline)
    assert found.low == pytest.approx(np.quantile(drawn, 0.025), rel=0.03)
    assert found.high == pytest.approx(np.quantile(drawn, 0.975), rel=0.03)


def test_an_interval_is_open_where_resamples_leave_the_sizes() -> None:
    rng = np.random.default_rng(1)
    noise = [rng.standard_normal((20, 1)) for _ in range(2)]
    found = break_even([100, 300], [noise[0] - 0.1, noise[1] + 0.1], np.zeros((20, 1)))
    assert found.low == ALWAYS
    assert found.high == NEVER
    assert 0 < found.passes < 1
    never = break_even([100, 300], [np.full((20, 1), -0.1)] * 2, np.zeros((20, 2)))
    assert (never.at, never.low, never.high, never.passes) == (NEVER, NEVER, NEVER, 0.0)


def test_intervals_of_one_seed_are_the_bootstraps_and_of_several_for_a_new_seed(
    curve: tuple[list[np.ndarray], np.ndarray],
) -> None:
    values, baseline = curve
    assert interval_of(baseline) == intervals(baseline[:, 0])[0]
    assert interval_of(values[0][:, :1], baseline) == intervals(values[0][:, 0] - baseline[:, 0])[0]
    assert interval_of(values[0], baseline) == for_a_new_seed(values[0], baseline).interval
    own = interval_of(values[0])
    assert own.low < values[0].mean() < own.high
    assert interval_of(np.array([[0.5, 0.7]])).low == pytest.approx(0.6), "one query has no spread"


def test_an_interval_of_a_mean_of_shares_stays_among_them_and_that_of_a_difference_does_not() -> None:
    nearly = np.ones((6, 2))
    nearly[0] = 0.2, 0.9
    assert interval_of(nearly).high == 1
    assert interval_of(nearly - 1 + 1e-9).high > 0  # not shares: nothing is cut
    assert interval_of(nearly, np.zeros((6, 1))).high > 1
