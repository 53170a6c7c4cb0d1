"""Intervals of a mean: against scipy's, and what they cover."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from harness.statistics import bootstrap
from harness.statistics.bootstrap import first_drawn, intervals, stratified_intervals, times_drawn


@pytest.mark.parametrize("level", [0.9, 0.95])
@pytest.mark.parametrize("kind", ["normal", "skewed", "grades"])
def test_it_agrees_with_scipy(kind: str, level: float) -> None:
    rng = np.random.default_rng(1)
    values = {
        "normal": rng.normal(0.02, 0.2, 120),
        "skewed": rng.exponential(0.3, 60),
        "grades": rng.choice([0.0, 0.5, 0.63, 1.0], 90, p=[0.5, 0.1, 0.1, 0.3]),
    }[kind]
    other = stats.bootstrap(
        (values,), np.mean, confidence_level=level, method="BCa", n_resamples=20_000, rng=rng
    ).confidence_interval
    (found,) = intervals(values, level=level, resamples=20_000)
    width = other.high - other.low
    assert found.low == pytest.approx(other.low, abs=0.03 * width)
    assert found.high == pytest.approx(other.high, abs=0.03 * width)
    assert found.level == level


def test_columns_have_the_intervals_that_they_have_alone_and_the_seed_gives_them_again() -> None:
    table = np.random.default_rng(2).random((50, 3))
    together = intervals(table, seed=5)
    assert together == intervals(table, seed=5) != intervals(table, seed=6)
    for column, found in zip(table.T, together, strict=True):
        (alone,) = intervals(column, seed=5)
        assert (found.low, found.high) == pytest.approx((alone.low, alone.high), abs=1e-9)


def test_values_that_are_all_alike_have_an_interval_of_no_width() -> None:
    (found,) = intervals(np.full(10, 0.4))
    assert found.low == found.high == pytest.approx(0.4)
    (one,) = intervals(np.array([0.7]))
    assert one.low == one.high == 0.7


def test_a_wider_level_holds_a_narrower_one() -> None:
    values = np.random.default_rng(3).exponential(1, 40)
    (narrow,), (wide,) = intervals(values, level=0.8), intervals(values, level=0.99)
    assert wide.low < narrow.low < values.mean() < narrow.high < wide.high


def test_it_covers_the_true_mean_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(4)
    population = rng.choice([0.0, 0.39, 0.5, 0.63, 1.0], 5000, p=[0.35, 0.1, 0.1, 0.15, 0.3])
    covered = 0
    for seed in range(300):
        (found,) = intervals(rng.choice(population, 120), seed=seed, resamples=1000)
        covered += found.low <= population.mean() <= found.high
    assert 0.91 <= covered / 300 <= 0.985


def mean_of_means(strata: list[np.ndarray]) -> float:
    return float(np.mean([values.mean() for values in strata]))


@pytest.mark.parametrize("level", [0.9, 0.95])
def test_the_interval_over_datasets_agrees_with_scipy(level: float) -> None:
    rng = np.random.default_rng(7)
    strata = [rng.exponential(0.3, 40), rng.choice([0.0, 0.5, 1.0], 90), rng.normal(0.5, 0.2, 20)]
    other = stats.bootstrap(
        tuple(strata),
        lambda *each, axis: np.mean([values.mean(axis) for values in each], axis=0),
        confidence_level=level,
        n_resamples=20_000,
        method="BCa",
        vectorized=True,
        rng=rng,
    ).confidence_interval
    (found,) = stratified_intervals(strata, level=level, resamples=20_000)
    width = other.high - other.low
    assert found.low == pytest.approx(other.low, abs=0.03 * width)
    assert found.high == pytest.approx(other.high, abs=0.03 * width)
    assert found.low < mean_of_means(strata) < found.high


def test_one_dataset_has_the_interval_that_it_has_alone_and_datasets_of_one_size_are_drawn_apart() -> None:
    values = np.random.default_rng(8).random((50, 2))
    assert stratified_intervals([values], seed=4) == intervals(values, seed=4)
    (twice,), (once,) = stratified_intervals([values[:, :1], values[:, :1]]), intervals(values[:, 0])
    assert (twice.high - twice.low) / (once.high - once.low) == pytest.approx(0.5**0.5, rel=0.05)


def test_a_dataset_of_one_query_has_no_spread() -> None:
    values = np.random.default_rng(9).random(30)
    (alone,), (beside,) = intervals(values), stratified_intervals([values, np.array([0.5])])
    assert (beside.high - beside.low) / (alone.high - alone.low) == pytest.approx(0.5, rel=0.05)
    (certain,) = stratified_intervals([np.array([0.25]), np.array([0.75])])
    assert (certain.low, certain.high) == (0.5, 0.5)


def test_over_datasets_it_covers_the_true_mean_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(10)
    populations = [rng.choice([0.0, 0.39, 0.63, 1.0], 4000, p=[0.4, 0.1, 0.2, 0.3]), rng.beta(0.5, 2, 4000)]
    truth, covered = mean_of_means(populations), 0
    for seed in range(300):
        drawn = [rng.choice(population, n) for population, n in zip(populations, (30, 120), strict=True)]
        (found,) = stratified_intervals(drawn, seed=seed, resamples=1000)
        covered += found.low <= truth <= found.high
    assert 0.91 <= covered / 300 <= 0.985


def test_thousands_of_columns_are_drawn_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(11).random((30, 7))
    whole = stratified_intervals([values[:10], values[10:]], seed=3, resamples=500)
    monkeypatch.setattr(bootstrap, "COLUMNS", 3)
    parts = stratified_intervals([values[:10], values[10:]], seed=3, resamples=500)
    assert [(i.low, i.high) for i in parts] == [pytest.approx((i.low, i.high), abs=1e-12) for i in whole]


@pytest.mark.parametrize("n", [1, 7, 225, 400])
@pytest.mark.parametrize("draws", [10, 1000, 1001, 9_999, 10_000])
def test_shared_draws_are_those_of_a_new_generator(n: int, draws: int) -> None:
    shared = first_drawn(3, n, draws)
    assert shared is not None
    assert np.array_equal(shared, times_drawn(np.random.default_rng([3, n]), draws, n))


def test_draws_of_many_queries_are_not_kept() -> None:
    assert first_drawn(0, 401, 10) is None
    assert first_drawn(0, 10, 10_001) is None
