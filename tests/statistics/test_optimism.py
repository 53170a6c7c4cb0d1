"""Optimism against arithmetic by hand, a peer library, and simulations in which the truth is known."""

from __future__ import annotations

import numpy as np
import pytest
from statsmodels.stats.weightstats import CompareMeans, DescrStatsW

from harness.statistics.optimism import optimism, winners_curse


def test_by_hand_and_against_statsmodels() -> None:
    chose, others = np.array([0.1, 0.3, 0.2, 0.6]), np.array([0.0, 0.2, -0.1, 0.1, 0.05])
    found = optimism(chose, others)
    assert found.looked == pytest.approx(0.3)
    assert found.found == pytest.approx(0.05)
    assert found.difference == pytest.approx(0.25)
    low, high = CompareMeans(DescrStatsW(chose), DescrStatsW(others)).tconfint_diff(usevar="unequal")
    assert found.interval is not None
    assert (found.interval.low, found.interval.high) == pytest.approx((low, high))


def test_too_little_to_say_and_nothing_to_say() -> None:
    assert optimism(np.array([0.1]), np.array([0.2, 0.3])).interval is None
    flat = optimism(np.full(5, 0.2), np.full(4, 0.1)).interval
    assert flat is not None
    assert (flat.low, flat.high) == pytest.approx((0.1, 0.1))


def test_candidates_that_are_all_alike_cost_what_their_best_has_too_much() -> None:
    rng = np.random.default_rng(0)
    found, true = [], []
    for repeat in range(30):
        values = 0.5 + 0.2 * rng.standard_normal((80, 20))  # each truly 0.5
        true.append(values.mean(0).max() - 0.5)
        found.append(winners_curse(values, seed=repeat, resamples=300))
    assert np.mean(found) == pytest.approx(np.mean(true), rel=0.2)


def test_a_candidate_alone_or_far_ahead_costs_nothing() -> None:
    rng = np.random.default_rng(0)
    values = rng.random((100, 5))
    assert abs(winners_curse(values[:, :1])) < 0.005
    assert abs(winners_curse(values + np.array([2.0, 0, 0, 0, 0]))) < 0.005
    assert winners_curse(values[:1]) == 0.0
    assert winners_curse(values, seed=3) == winners_curse(values, seed=3)
