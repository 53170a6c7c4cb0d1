"""Variance of queries and of seeds, told apart."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from harness.statistics.seeds import components, for_a_new_seed


def drawn(rng: np.random.Generator, n: int, k: int, query: float, seed: float, rest: float) -> np.ndarray:
    parts = rng.normal(0, query, (n, 1)), rng.normal(0, seed, (1, k)), rng.normal(0, rest, (n, k))
    return np.asarray(0.5 + parts[0] + parts[1] + parts[2])


def test_known_components_are_found_again() -> None:
    rng = np.random.default_rng(1)
    found = [components(drawn(rng, 200, 5, 0.3, 0.02, 0.1)) for _ in range(400)]
    assert np.mean([c.query for c in found]) == pytest.approx(0.3**2, rel=0.1)
    assert np.mean([c.seed for c in found]) == pytest.approx(0.02**2, rel=0.1)
    assert np.mean([c.rest for c in found]) == pytest.approx(0.1**2, rel=0.1)


def test_components_against_the_table_of_an_analysis_of_variance() -> None:
    values = drawn(np.random.default_rng(2), 7, 3, 0.3, 0.2, 0.1)
    n, k = values.shape
    total = ((values - values.mean()) ** 2).sum()
    between_queries = sum(k * (row.mean() - values.mean()) ** 2 for row in values)
    between_seeds = sum(n * (column.mean() - values.mean()) ** 2 for column in values.T)
    rest = (total - between_queries - between_seeds) / ((n - 1) * (k - 1))
    found = components(values)
    assert found.rest == pytest.approx(rest)
    assert found.query == pytest.approx(max(0, (between_queries / (n - 1) - rest) / k))
    assert found.seed == pytest.approx(max(0, (between_seeds / (k - 1) - rest) / n))


def test_a_component_is_never_negative() -> None:
    found = components(np.array([[0.0, 1.0], [1.0, 0.0]]))
    assert (found.query, found.seed) == (0.0, 0.0)
    assert found.rest > 0


def test_without_seeds_it_is_the_paired_t_test() -> None:
    rng = np.random.default_rng(3)
    one, other = rng.random((40, 1)), rng.random((40, 1))
    found = for_a_new_seed(one, other)
    t = stats.ttest_rel(one[:, 0], other[:, 0])
    assert found.p == pytest.approx(t.pvalue)
    expected = t.confidence_interval()
    assert (found.interval.low, found.interval.high) == pytest.approx((expected.low, expected.high))
    assert found.query_part == 1.0


def test_a_seed_that_was_lucky_is_not_taken_for_a_recipe_that_is_better() -> None:
    rng = np.random.default_rng(4)
    false_alarms = {"both": 0, "queries alone": 0}
    for _ in range(400):
        query = rng.normal(0, 0.3, (300, 1))
        one, other = (query + rng.normal(0, 0.03, (1, 3)) + rng.normal(0, 0.05, (300, 3)) for _ in range(2))
        false_alarms["both"] += for_a_new_seed(one, other).p <= 0.05
        false_alarms["queries alone"] += stats.ttest_rel(one.mean(1), other.mean(1)).pvalue <= 0.05
    assert false_alarms["both"] <= 0.07 * 400
    assert false_alarms["queries alone"] > 0.5 * 400


def test_values_that_are_all_alike() -> None:
    same = np.full((10, 2), 0.5)
    assert for_a_new_seed(same, same).p == 1.0
    assert for_a_new_seed(same, same - 0.1).p == 0.0
