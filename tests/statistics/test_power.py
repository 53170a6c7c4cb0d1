"""Power, the smallest difference to be seen, the queries needed: against statsmodels and against each other."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from harness.statistics.power import power_of, queries_needed, smallest_difference

GRID = [(20, 0.1), (76, 0.17), (300, 0.25), (1000, 0.3)]


@pytest.mark.parametrize(("queries", "deviation"), GRID)
@pytest.mark.parametrize("alpha", [0.05, 0.005])
def test_it_agrees_with_statsmodels(queries: int, deviation: float, alpha: float) -> None:
    other = pytest.importorskip("statsmodels.stats.power").TTestPower()
    for difference in (0.005, 0.02, 0.08):
        effect = difference / deviation
        theirs = other.power(effect, queries, alpha)
        if math.isfinite(theirs):  # scipy's noncentral t has no number for some tails that are all but 0
            assert power_of(difference, deviation, queries, alpha) == pytest.approx(theirs, abs=1e-6)
        assert power_of(-difference, deviation, queries, alpha) == power_of(difference, deviation, queries, alpha)
    least = smallest_difference(deviation, queries, alpha)
    assert other.power(least / deviation, queries, alpha, alternative="two-sided") == pytest.approx(
        0.8, abs=1e-6, nan_ok=True
    )


@pytest.mark.parametrize(("queries", "deviation"), GRID)
def test_the_smallest_difference_needs_just_those_queries(queries: int, deviation: float) -> None:
    least = smallest_difference(deviation, queries)
    assert power_of(least, deviation, queries) == pytest.approx(0.8, abs=1e-6)
    assert queries_needed(least * (1 + 1e-9), deviation) == queries
    assert queries_needed(least * 0.99, deviation) > queries


def test_simulated_power_is_the_power_said() -> None:
    rng = np.random.default_rng(1)
    deviation, queries = 0.2, 60
    least = smallest_difference(deviation, queries)
    drawn = rng.normal(least, deviation, (4000, queries))
    assert (stats.ttest_1samp(drawn, 0, axis=1).pvalue <= 0.05).mean() == pytest.approx(0.8, abs=0.02)


def test_the_ends() -> None:
    assert smallest_difference(0.2, 1) == math.inf
    assert smallest_difference(0.0, 50) == 0
    assert power_of(0.1, 0.0, 5) == 1
    assert power_of(0.0, 0.0, 5) == 0
    assert power_of(0.0, 0.2, 50) == pytest.approx(0.05)
    assert power_of(1.0, 0.001, 1000) == 1
    assert queries_needed(1.0, 0.0) == 6, "on fewer all differences have one sign by chance too often"
    assert queries_needed(1e-9, 1.0) == 10_000_000
    assert [n for n in range(1, 12) if math.isinf(smallest_difference(0.2, n))] == [1, 2, 3, 4, 5]
    assert 0.2 < smallest_difference(0.2, 10, 0.05 / 15) < smallest_difference(0.2, 6, 1e-7) < math.inf
    assert power_of(smallest_difference(0.2, 6, 1e-7), 0.2, 6, 1e-7) == pytest.approx(0.8)
    with pytest.raises(ValueError, match="not detected by any number of queries"):
        queries_needed(0.0, 0.2)


def test_a_judges_errors_raise_what_is_detected() -> None:
    """At the critical value of the widened interval; without queries' noise only the judge's errors are left."""
    plain, wide = smallest_difference(2.0, 100), smallest_difference(2.0, 100, size=0.5)
    half = stats.t.ppf(0.975, 99) * 0.2
    assert wide == pytest.approx(plain - half + np.hypot(half, 1.0))
    assert smallest_difference(2.0, 10**7, size=0.5) == pytest.approx(1.0, abs=0.01)
    assert smallest_difference(2.0, 3, size=0.5) == float("inf")
