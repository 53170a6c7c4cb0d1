"""Several datasets at once: against all assignments by hand, against scipy's, and what it covers."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from harness.statistics.bootstrap import intervals, stratified_intervals
from harness.statistics.randomisation import Randomised, many_sign_flips, sign_flips
from harness.statistics.stratified import weighted

STRATA = st.lists(st.lists(st.integers(-8, 8).map(lambda v: v / 8), min_size=1, max_size=4), min_size=1, max_size=3)


def stratified_sign_flips(strata: list[np.ndarray], seed: int = 0, draws: int = 100_000) -> list[Randomised]:
    return many_sign_flips(weighted(strata), seed, draws)


def mean_of_means(strata: list[np.ndarray]) -> float:
    return float(np.mean([values.mean() for values in strata]))


def columns(strata: list[list[float]]) -> list[np.ndarray]:
    return [np.array(values).reshape(-1, 1) for values in strata]


@given(STRATA)
def test_few_queries_are_tested_over_all_assignments_of_signs(strata: list[list[float]]) -> None:
    def statistic(signs: tuple[int, ...]) -> float:
        left, total = iter(signs), 0.0
        for values in strata:
            total += sum(next(left) * value for value in values) / len(values)
        return abs(total)

    count = sum(map(len, strata))
    reached = [statistic(signs) >= statistic((1,) * count) - 1e-12 for signs in itertools.product((1, -1), repeat=count)]
    (found,) = stratified_sign_flips(columns(strata))
    assert found.exact
    assert found.p == pytest.approx(np.mean(reached))


@given(STRATA)
def test_the_mean_of_the_weighted_differences_counts_every_dataset_alike(strata: list[list[float]]) -> None:
    held = columns(strata)
    assert weighted(held).mean() == pytest.approx(mean_of_means(held), abs=1e-12)
    assert len(weighted(held)) == sum(map(len, strata))


@pytest.mark.parametrize(("sizes", "draws"), [((3, 9), np.inf), ((40, 160), 20_000)])
def test_it_agrees_with_scipy(sizes: tuple[int, ...], draws: float) -> None:
    rng = np.random.default_rng(1)
    strata = [rng.normal(0.1, 1, (n, 1)) for n in sizes]
    of = np.repeat(np.arange(len(sizes)), sizes)

    def statistic(one: np.ndarray, other: np.ndarray, axis: int) -> np.ndarray:
        gaps = np.moveaxis(one - other, axis, -1)
        return np.mean([gaps[..., of == k].mean(-1) for k in range(len(sizes))], axis=0)

    differences = np.concatenate(strata)[:, 0]
    other = stats.permutation_test(
        (differences / 2, -differences / 2),
        statistic,
        permutation_type="samples",
        n_resamples=draws,
        vectorized=True,
        rng=np.random.default_rng(2),
    )
    (found,) = stratified_sign_flips(strata)
    assert found.exact is (draws == np.inf)
    assert found.p == pytest.approx(other.pvalue, abs=1e-12 if found.exact else 4 * np.sqrt(0.25 / draws))


def test_one_dataset_is_tested_as_it_is_alone() -> None:
    differences = np.random.default_rng(3).normal(0.1, 1, 80)
    assert stratified_sign_flips([differences.reshape(-1, 1)], seed=5, draws=2000) == [sign_flips(differences, 5, 2000)]


def test_a_small_dataset_counts_as_much_as_a_large_one() -> None:
    small, large = np.full((12, 1), 0.3), np.tile([[-0.05], [0.05]], (200, 1))
    (alike,) = stratified_sign_flips([small, large])
    (pooled,) = stratified_sign_flips([np.concatenate([small, large])])
    assert alike.p < 0.001 < pooled.p


def test_no_difference_and_rounding_and_a_single_query() -> None:
    zeros = [np.zeros((5, 2)), np.full((3, 2), 1e-12)]
    assert [found.p for found in stratified_sign_flips(zeros)] == [1.0, 1.0]
    assert not weighted(zeros).any()
    (single,) = stratified_sign_flips([np.array([[0.4]]), np.array([[0.1]])])
    assert (single.p, single.draws) == (0.5, 4)


def test_the_test_holds_its_level_with_datasets_of_other_sizes_and_spreads() -> None:
    rng = np.random.default_rng(6)
    alarms = 0
    for run in range(400):
        strata = [rng.exponential(spread, (n, 1)) * rng.choice([-1, 1], (n, 1)) for n, spread in ((10, 1.0), (60, 0.2))]
        alarms += stratified_sign_flips(strata, run, 1000)[0].p <= 0.05
    assert alarms / 400 <= 0.08


@pytest.mark.parametrize("level", [0.9, 0.95])
def test_the_interval_agrees_with_scipy(level: float) -> None:
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


def test_it_covers_the_true_mean_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(10)
    populations = [rng.choice([0.0, 0.39, 0.63, 1.0], 4000, p=[0.4, 0.1, 0.2, 0.3]), rng.beta(0.5, 2, 4000)]
    truth, covered = mean_of_means(populations), 0
    for seed in range(300):
        drawn = [rng.choice(population, n) for population, n in zip(populations, (30, 120), strict=True)]
        (found,) = stratified_intervals(drawn, seed=seed, resamples=1000)
        covered += found.low <= truth <= found.high
    assert 0.91 <= covered / 300 <= 0.985
