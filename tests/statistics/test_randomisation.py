"""The sign-flip test against all assignments by hand, and against scipy's."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from harness.statistics import randomisation
from harness.statistics.randomisation import many_sign_flips, sign_flips, small_p_values, tail_bound

GRID = st.lists(st.integers(-8, 8).map(lambda v: v / 8), min_size=1, max_size=9)


@given(GRID)
def test_few_queries_are_tested_over_all_assignments_of_signs(differences: list[float]) -> None:
    sums = [
        abs(sum(s * d for s, d in zip(signs, differences, strict=True)))
        for signs in itertools.product((1, -1), repeat=len(differences))
    ]
    found = sign_flips(np.array(differences))
    assert found.exact
    assert found.p == pytest.approx(np.mean([s >= abs(sum(differences)) for s in sums]))


def test_it_agrees_with_scipy_where_all_assignments_are_gone_through() -> None:
    differences = np.random.default_rng(1).normal(0.3, 1, 14)
    other = stats.permutation_test(
        (differences, -differences), lambda a, b: (a - b).mean(), permutation_type="samples", n_resamples=np.inf
    )
    assert sign_flips(differences).p == pytest.approx(other.pvalue, abs=1e-12)


@pytest.mark.parametrize("shift", [0.0, 0.1, 0.2])
def test_it_agrees_with_scipy_to_the_error_of_drawing(shift: float) -> None:
    differences = np.random.default_rng(2).normal(shift, 1, 150)
    other = stats.permutation_test(
        (differences, -differences),
        lambda a, b, axis: (a - b).mean(axis),
        permutation_type="samples",
        n_resamples=20_000,
        vectorized=True,
        rng=np.random.default_rng(3),
    )
    found = sign_flips(differences)
    assert not found.exact
    assert found.p == pytest.approx(other.pvalue, abs=4 * np.sqrt(0.25 / 20_000))


def test_a_drawn_p_value_is_never_0_and_comes_again_with_its_seed() -> None:
    differences = np.ones(100)
    assert sign_flips(differences, draws=999).p == 1 / 1000
    noise = np.random.default_rng(4).normal(0.1, 1, 60)
    assert sign_flips(noise, seed=1) == sign_flips(noise, seed=1)
    assert sign_flips(noise, seed=1) != sign_flips(noise, seed=2)


def test_blocks_are_no_matter_for_the_number_of_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    differences = np.random.default_rng(5).normal(0.1, 1, 40)
    whole = sign_flips(differences, draws=5000)
    monkeypatch.setattr(randomisation, "BLOCK", 700)
    parts = sign_flips(differences, draws=5000)
    assert parts.draws == whole.draws == 5000
    assert parts.p == pytest.approx(whole.p, abs=0.04)


def test_many_contrasts_at_once_have_the_p_values_that_they_have_alone() -> None:
    table = np.random.default_rng(6).normal(0.1, 1, (50, 4))
    table[:, 1] = 0
    table[5:, 2] = 0
    together = many_sign_flips(table, draws=3000)
    assert [found.exact for found in together] == [False, True, True, False]
    assert together == [sign_flips(column, draws=3000) for column in table.T]
    assert many_sign_flips(np.zeros((5, 0))) == []


def test_queries_without_a_difference_change_nothing() -> None:
    few = np.array([0.5, 0.25, -0.125, 0.75])
    assert sign_flips(np.concatenate([few, np.zeros(500)])) == sign_flips(few)
    assert sign_flips(np.zeros(30)).p == 1.0


def test_rounding_does_not_tell_equal_sums_apart() -> None:
    differences = np.array([0.1, 0.2, -0.3, 0.6])  # 0.1 + 0.2 is not 0.3 in floating point
    assert sign_flips(differences).p == sign_flips(np.array([1.0, 2.0, -3.0, 6.0])).p


@given(st.lists(st.integers(-6, 6).map(lambda v: v / 6), min_size=1, max_size=9))
def test_the_tail_bound_is_never_below_the_exact_p_value(values: list[float]) -> None:
    column = np.array(values).reshape(-1, 1)
    (bound,) = tail_bound(column)
    assert bound >= many_sign_flips(column)[0].p - 1e-12
    assert bound <= 1


def test_the_tail_bound_is_of_the_size_of_the_tail() -> None:
    column = np.abs(np.random.default_rng(3).normal(0.2, 0.3, 300)) * np.where(np.arange(300) % 3 == 0, -1, 1)
    gauss = 2 * stats.norm.sf(abs(column.sum()) / np.sqrt((column**2).sum()))
    (bound,) = tail_bound(column.reshape(-1, 1))
    assert gauss < bound < 40 * gauss
    assert tail_bound(np.zeros((5, 2))).tolist() == [1.0, 1.0]
    assert tail_bound(np.ones((30, 1)))[0] == pytest.approx(2 * 0.5**30, rel=0.05), "all alike: the bound is the probability"


def test_many_contrasts_can_be_told_apart_however_many_there_are() -> None:
    rng = np.random.default_rng(5)
    apart = rng.normal(0.03, 0.3, (3000, 1))
    many = np.concatenate([apart, rng.normal(0, 0.3, (3000, 799))], axis=1)
    found = small_p_values(many, 0.05)
    assert found[0] < 0.05 / 800
    assert found[0] <= stats.ttest_1samp(apart[:, 0], 0).pvalue * 40
    plain = [test.p for test in many_sign_flips(many[:, 1:40], draws=10_000)]
    assert found[1:40] == pytest.approx(plain, abs=0.02)


def test_more_signs_are_drawn_where_the_share_of_the_error_asks_for_them() -> None:
    rng = np.random.default_rng(8)
    column = rng.normal(0, 1, 200)
    column += 4.0 * column.std() / np.sqrt(200) - column.mean()
    many = np.concatenate([column.reshape(-1, 1), rng.normal(0, 1, (200, 199))], axis=1)
    (coarse, *_), (fine, *_) = small_p_values(many, 0.05, work=0), small_p_values(many, 0.05)
    assert coarse >= 1 / 10_001
    assert fine == pytest.approx(stats.ttest_1samp(column, 0).pvalue, rel=0.6)
    assert small_p_values(many[:15], 0.05)[0] == many_sign_flips(many[:15])[0].p, "few are exact"
