"""A family of contrasts: verdict, interval and p-value agree, whatever the rows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from harness.statistics.family import Family, family, fewest
from harness.statistics.seeds import components, for_a_new_seed

RNG = np.random.default_rng(7)
GRADES = np.array([0.0, 0.39, 0.5, 0.63, 1.0])
BOARDS = st.tuples(st.integers(1, 40), st.integers(1, 9), st.integers(0, 10**6), st.floats(0, 0.6), st.booleans())


def board(queries: int, rows: int, seed: int, spread: float, several: bool = False) -> Family:
    """Rows that mostly agree, of means that differ; some are equal, some have several seeds."""
    rng = np.random.default_rng(seed)
    base = rng.choice(GRADES, (queries, 1))
    values = np.where(rng.random((queries, rows)) < 0.5, base, rng.choice(GRADES, (queries, rows)))
    values = np.clip(values + spread * np.linspace(0.5, -0.5, rows), 0, 1)
    if rows > 2:
        values[:, -1] = values[:, -2]
    error = np.where(np.arange(rows) % 2, 1e-4, 0.0) if several else None
    return family([values], seed_error=error, seed_freedom=None if error is None else np.full(rows, 2.0), draws=199)


@settings(max_examples=150, deadline=None)
@given(BOARDS)
def test_verdict_interval_and_p_value_agree(told: tuple[int, int, int, float, bool]) -> None:
    found = board(*told)
    rows = told[1]
    first, second = np.triu_indices(rows, 1)
    better = found.better()
    for a, b, one in zip(first, second, found.differences(first, second), strict=True):
        excludes = one.interval.low > 0 or one.interval.high < 0
        assert one.tied is not excludes
        assert (one.p <= 0.05) is excludes
        assert one.interval.low <= one.mean <= one.interval.high
        assert (bool(better[a, b]), bool(better[b, a])) == (one.interval.low > 0, one.interval.high < 0)
        assert found.difference(b, a) == one.reversed
    assert not better.diagonal().any()


@settings(max_examples=40, deadline=None)
@given(BOARDS)
def test_a_lower_level_has_an_interval_within_and_a_difference_of_few_queries_is_never_significant(
    told: tuple[int, int, int, float, bool],
) -> None:
    found = board(*told)
    (values,) = found.strata
    for row in range(1, told[1]):
        wide, narrow = found.difference(0, row).interval, found.difference(0, row, 0.8).interval
        assert wide.low <= narrow.low + 1e-12
        assert narrow.high <= wide.high + 1e-12
        if (np.abs(values[:, 0] - values[:, row]) > 1e-9).sum() < 6:
            assert found.difference(0, row).tied


@pytest.mark.parametrize("rows", [2, 9, 40])
def test_covariances_find_what_each_pair_alone_does(rows: int) -> None:
    values = np.round(
        np.clip(RNG.random((60, 1)) + RNG.normal(0, 0.1, (60, rows)) + np.linspace(0.2, -0.2, rows), 0, 1), 6
    )
    found = family([values[:25], values[25:]], draws=999)
    better = found.better()
    for a in range(rows):
        for b in range(rows):
            assert better[a, b] == (a != b and found.difference(a, b).interval.low > 0)


def test_the_interval_is_the_mean_and_c_standard_errors() -> None:
    values = RNG.normal(0, 1, (50, 4))
    found = family([values])
    one = found.difference(1, 3)
    gap = values[:, 1] - values[:, 3]
    assert one.mean == pytest.approx(gap.mean())
    assert one.error == pytest.approx(stats.sem(gap))
    assert one.interval.high - one.mean == pytest.approx(found.largest.critical() * stats.sem(gap))
    assert found.contrasts == 6
    assert 2 * stats.t.sf(found.largest.critical(), 49) == pytest.approx(found.pairwise_alpha())


def test_planned_contrasts_are_corrected_for_themselves_only() -> None:
    values = RNG.random((80, 6))
    everything = family([values])
    planned = family([values], np.array([0]), np.array([5]))
    assert (everything.contrasts, planned.contrasts) == (15, 1)
    wide, narrow = everything.difference(0, 5).interval, planned.difference(0, 5).interval
    assert wide.low < narrow.low < narrow.high < wide.high
    assert planned.largest.critical() == pytest.approx(stats.t.isf(0.025, 79), rel=0.03)


def test_every_dataset_counts_alike() -> None:
    small, large = RNG.normal(0.3, 0.1, (12, 2)), RNG.normal(0.0, 0.1, (400, 2))
    small[:, 0] += 0.4
    found = family([small, large]).difference(0, 1)
    gaps = [part[:, 0] - part[:, 1] for part in (small, large)]
    assert found.mean == pytest.approx(np.mean([gap.mean() for gap in gaps]))
    assert found.error == pytest.approx(np.sqrt(sum(stats.sem(gap) ** 2 for gap in gaps)) / 2)
    assert not found.tied
    assert family([np.concatenate([small, large])]).difference(0, 1).mean < 0.05


def test_seeds_widen_an_interval_as_in_the_model_of_queries_and_seeds() -> None:
    seeds = RNG.normal(0.5, 0.1, (100, 1)) + np.array([[0.05, 0.0, -0.04]]) + RNG.normal(0, 0.05, (100, 3))
    other = RNG.normal(0.45, 0.1, (100, 1))
    error = np.array([components(seeds).seed / 3, 0.0])
    values = np.column_stack([seeds.mean(1), other[:, 0]])
    plain, wider = family([values]), family([values], seed_error=error, seed_freedom=np.array([2.0, 0.0]))
    one, other_one = plain.difference(0, 1), wider.difference(0, 1)
    reference = for_a_new_seed(seeds, other)
    assert other_one.error > one.error
    assert other_one.p > one.p
    assert (other_one.p <= 0.05) is not other_one.tied
    half = (other_one.interval.high - other_one.interval.low) / 2
    assert half == pytest.approx((reference.interval.high - reference.interval.low) / 2, rel=0.05)


def test_few_queries_equal_rows_and_constant_differences() -> None:
    assert [fewest(level) for level in (0.9, 0.95, 0.99)] == [5, 6, 8]
    few = family([RNG.random((5, 3))]).difference(0, 1)
    assert few.tied
    assert np.isinf(few.interval.high)
    assert few.p >= 0.0625
    values = np.full((30, 3), 0.5)
    values[:, 0] += 0.25
    found = family([values])
    same, shifted = found.difference(1, 2), found.difference(0, 1)
    assert (same.interval.low, same.interval.high, same.p, same.tied) == (0.0, 0.0, 1.0, True)
    assert (shifted.interval.low, shifted.interval.high, shifted.tied) == (0.25, 0.25, False)
    one = family([np.array([[1.0, 0.0]])]).difference(0, 1)
    assert (one.tied, one.p) == (True, 1.0)
    assert family([RNG.random((9, 1))]).better().tolist() == [[False]]


def test_thousands_of_rows_take_the_bound_and_little_time() -> None:
    values = np.round(
        np.clip(RNG.random((100, 1)) + RNG.normal(0, 0.05, (100, 3000)) + np.linspace(0.2, -0.2, 3000), 0, 1), 6
    )
    found = family([values])
    assert not found.largest.resampled
    assert found.contrasts == 3000 * 2999 // 2
    better = found.better()
    assert better[0, -1]
    rows = RNG.integers(0, 3000, (200, 2))
    for a, b in rows:
        assert better[a, b] == (found.difference(a, b).interval.low > 0)


def test_a_judges_error_widens_by_deviations_whatever_the_number_of_queries() -> None:
    """Half an interval is the root of (c · standard error)² + (size · deviation)²; flags, intervals and p agree."""
    for queries in (30, 3000):
        values = np.random.default_rng(0).standard_normal((queries, 3)) + np.array([2.0, 1.0, 0.0])
        sizes = np.array([[0.0, 0.9, 0.3], [0.9, 0.0, 0.3], [0.3, 0.3, 0.0]])
        plain, wide = family([values], draws=199), family([values], draws=199, judge=[sizes])
        assert wide.widened
        assert not plain.widened
        first, second = np.triu_indices(3, 1)
        for a, b, one in zip(first, second, wide.differences(first, second), strict=True):
            narrow = plain.difference(a, b)
            deviation = float((values[:, a] - values[:, b]).std(ddof=1))
            half = np.hypot(narrow.interval.high - narrow.mean, sizes[a, b] * deviation)
            assert one.interval.high == pytest.approx(one.mean + half)
            assert one.tied is not wide.better()[a, b]
            assert (one.p <= 0.05) is not one.tied
        assert plain.better()[0, 1]
        assert not wide.better()[0, 1]
        assert wide.better()[0, 2]
        assert wide.judge_size(0, 1) == 0.9


def test_an_unknown_error_of_the_judge_ties_all() -> None:
    values = np.random.default_rng(0).random((30, 2)) + np.array([5.0, 0.0])
    found = family([values], draws=199, judge=[np.full((2, 2), np.inf)])
    assert not found.better().any()
    assert found.difference(0, 1).p == 1
    assert found.difference(0, 1).interval.high == np.inf
