"""Groups of queries that share documents: by hand, against resampling them one by one, and calibrated."""

from __future__ import annotations

import numpy as np
import pytest

from harness.statistics.bootstrap import intervals
from harness.statistics.clusters import effective, labels, residuals, sums
from harness.statistics.family import family


def test_queries_of_no_group_are_groups_of_their_own() -> None:
    found = labels(["a", "b", "c", "d", "e"], [["b", "d", "elsewhere"], ["e", "a"]])
    assert found.tolist() == [0, 1, 2, 1, 0]
    assert labels([], []).tolist() == []


def test_unequal_groups_are_worth_fewer() -> None:
    assert effective(np.arange(7)) == 7
    assert effective(np.array([0, 0, 1, 1, 2, 2])) == pytest.approx(3)
    assert effective(np.array([0] * 8 + [1, 2])) == pytest.approx(100 / 66)


def test_sums_have_the_mean_of_the_queries_and_are_0_where_rows_agree() -> None:
    values = np.array([[1.0, 0.0], [0.0, 0.0], [0.5, 0.0], [0.1, 0.0]])
    groups = np.array([0, 1, 0, 1])
    by_group = sums(values, groups)
    assert by_group.tolist() == [[pytest.approx(0.75), 0.0], [pytest.approx(0.05), 0.0]]
    assert by_group.mean(0) == pytest.approx(values.mean(0))
    assert sums(values, np.arange(4)) == pytest.approx(values)
    assert residuals(values, np.arange(4)) == pytest.approx(values)
    constant = residuals(np.full((5, 1), 0.3), np.array([0, 0, 0, 1, 2]))
    assert constant == pytest.approx(np.full((3, 1), 0.3)), "groups of other sizes are no spread of a mean"


def drawn(rng: np.random.Generator, groups: int) -> tuple[np.ndarray, np.ndarray]:
    """Differences of queries in groups of 1 to 6, which share half of their variance."""
    numbers = np.repeat(np.arange(groups), rng.integers(1, 7, groups))
    return rng.normal(size=groups)[numbers] + rng.normal(size=len(numbers)), numbers


def test_the_standard_error_is_that_of_whole_groups_resampled_one_by_one() -> None:
    rng = np.random.default_rng(0)
    values, groups = drawn(rng, 80)
    values = values + 0.4
    members = [values[groups == number] for number in range(80)]
    means = []
    for _ in range(2000):
        sample = np.concatenate([members[i] for i in rng.integers(0, 80, 80)])
        means.append(sample.mean())
    by_group = residuals(values[:, None], groups)[:, 0]
    assert by_group.std(ddof=1) / np.sqrt(80) == pytest.approx(np.std(means), rel=0.05)
    (interval,) = intervals(by_group, seed=1)
    assert (interval.low, interval.high) == pytest.approx(np.quantile(means, [0.025, 0.975]), abs=0.03)
    assert values.std(ddof=1) / np.sqrt(len(values)) < 0.8 * np.std(means), "queries by themselves say too much"


def test_tests_by_groups_keep_their_level_and_tests_by_queries_do_not() -> None:
    """200 samples of 60 groups without a true difference: the nominal rate of false alarms is 5 %."""
    rng = np.random.default_rng(7)
    alarms = {"queries": 0, "groups": 0}
    covered = 0
    for _ in range(200):
        values, groups = drawn(rng, 60)
        table = np.column_stack([values, np.zeros(len(values))])
        one, other = np.array([0]), np.array([1])
        for name, rows in (("queries", table), ("groups", sums(table, groups))):
            difference = family([rows], one, other, draws=199).difference(0, 1)
            alarms[name] += not difference.tied
        (interval,) = intervals(residuals(values[:, None], groups), seed=0, resamples=299)
        covered += interval.low <= 0 <= interval.high
    assert alarms["queries"] / 200 > 0.12
    assert 0.015 <= alarms["groups"] / 200 <= 0.09
    assert 0.9 <= covered / 200 <= 0.985
