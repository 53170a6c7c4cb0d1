"""The judge's error: against loops, by hand, and the coverage of the bound in a simulation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from harness.statistics.judge_error import bound, largest_wrong, sizes


def test_against_loops() -> None:
    rng = np.random.default_rng(0)
    made, real = rng.random((40, 5)), rng.random((30, 5))
    pairs = np.ones((5, 5), np.bool_)
    pairs[0, 1] = pairs[1, 0] = False
    worst = 0.0
    for i in range(5):
        for j in range(5):
            differences = made[:, i] - made[:, j]
            size = 0.0 if i == j else differences.mean() / differences.std(ddof=1)
            assert sizes(made)[i, j] == pytest.approx(size)
            if pairs[i, j] and i != j and size * (real[:, i] - real[:, j]).mean() < 0:
                worst = max(worst, abs(size))
    assert worst > 0
    assert largest_wrong(made, real, pairs) == pytest.approx(worst)


def test_a_right_order_and_equal_rows_have_no_error() -> None:
    made = np.random.default_rng(0).random((20, 1)) + np.array([0.2, 0.1, 0.1, 0.0])
    assert largest_wrong(made + 0.01 * np.arange(4) ** 2, made[:, [0, 1, 2, 3]] - np.arange(4), np.eye(4) < 1) == 0
    assert sizes(made)[1, 2] == 0


def test_by_hand() -> None:
    for level in (0.95, 0.99):
        limit = 2 + stats.t.ppf(level, 2) * np.sqrt(4 / 3) * 1
        assert bound([1.0, 2.0, 3.0], level) == pytest.approx(limit)
    assert bound([1.0, 2.0, 3.0]) == pytest.approx(limit)
    assert bound([1.0, 1.0, 1.0, 1.0]) == 1.0
    assert bound([0.5, 0.6]) == float("inf")


def test_another_collection_stays_below_the_bound_as_often_as_it_should() -> None:
    rng = np.random.default_rng(1)
    drawn = rng.normal(1.0, 0.3, (4000, 6))
    for level, least, most in ((0.95, 0.94, 0.965), (0.99, 0.984, 0.996)):
        below = np.mean([own[5] <= bound(own[:5].tolist(), level) for own in drawn])
        assert least <= below <= most
