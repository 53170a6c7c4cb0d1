"""The distribution of the largest |t|: against a slow loop, against scipy's Dunnett and Tukey, and its ends."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from harness.statistics import largest as module
from harness.statistics.bootstrap import times_drawn
from harness.statistics.largest import FLOOR, bound, largest

RNG = np.random.default_rng(3)


def slow(strata: list[np.ndarray], pairs: list[tuple[int, int]], seed: int, draws: int) -> list[float]:
    """Query by query and pair by pair, from the same resamples."""
    rng = np.random.default_rng([seed, *map(len, strata)])
    weights = [times_drawn(rng, draws, len(values)) for values in strata]
    found = []
    for draw in range(draws):
        top = 0.0
        for a, b in pairs:
            moved = squared = own = 0.0
            for values, times in zip(strata, weights, strict=True):
                n = len(values)
                centred = values[:, a] - values[:, b] - (values[:, a] - values[:, b]).mean()
                sample = np.repeat(centred, times[draw].astype(int))
                moved += sample.mean() / len(strata)
                squared += sample.var() / (n - 1) / len(strata) ** 2
                own += centred.var() / (n - 1) / len(strata) ** 2
            top = max(top, abs(moved) / max(squared, own * FLOOR**2) ** 0.5) if own else top
        found.append(top)
    return sorted(found)


@pytest.mark.parametrize("sizes", [(30,), (12, 25)])
def test_it_is_what_a_slow_loop_finds(sizes: tuple[int, ...]) -> None:
    strata = [RNG.choice([0.0, 0.4, 1.0], (n, 4)) for n in sizes]
    first, second = np.triu_indices(4, 1)
    found = largest(strata, first, second, seed=5, draws=60)
    assert found.drawn == pytest.approx(slow(strata, list(zip(first, second, strict=True)), 5, 60), rel=1e-4)


def test_the_critical_value_agrees_with_tukeys_and_dunnetts_where_rows_are_independent_and_normal() -> None:
    values = RNG.normal(0, 1, (400, 5))
    first, second = np.triu_indices(5, 1)
    tukey = stats.studentized_range.isf(0.05, 5, 1e6) / 2**0.5
    assert largest([values], first, second).critical() == pytest.approx(tukey, rel=0.03)
    one, others = np.zeros(4, np.intp), np.arange(1, 5)
    dunnett = stats.dunnett(*(values[:, i] for i in others), control=values[:, 0], rng=np.random.default_rng(1))
    ci = dunnett.confidence_interval()
    pooled = np.sqrt(values.var(axis=0, ddof=1).mean() * 2 / 400)
    half = float(((ci.high - ci.low) / 2).mean()) / pooled
    assert largest([values], one, others).critical() == pytest.approx(half, rel=0.03)


def test_one_contrast_has_students_t_where_it_is_normal() -> None:
    found = largest([RNG.normal(0, 1, (300, 2))], np.array([0]), np.array([1]))
    assert found.critical() == pytest.approx(stats.t.isf(0.025, 299), rel=0.04)
    assert found.critical() >= stats.t.isf(0.025, 299)


def test_p_values_are_at_most_alpha_just_above_the_critical_value() -> None:
    first, second = np.triu_indices(6, 1)
    for found in (largest([RNG.random((40, 6))], first, second), bound([RNG.random((40, 6))], 15)):
        for level in (0.95, 0.9):
            c = found.critical(level)
            above, below = found.p_values(np.array([c * (1 + 1e-9), c * (1 - 1e-9)]))
            assert above <= 1 - level + 1e-9 < below + 2e-9


def test_more_contrasts_have_a_larger_critical_value() -> None:
    values = RNG.random((50, 12))
    critical = [largest([values], *np.triu_indices(rows, 1), seed=1).critical() for rows in (2, 4, 8, 12)]
    assert critical == sorted(critical)
    assert critical[-1] > critical[0] + 0.5


def test_a_pair_that_hardly_varies_does_not_decide_for_all() -> None:
    values = RNG.random((50, 3))
    values[:, 2] = values[:, 1]
    values[0, 2] += 0.5  # a third of the resamples draw no query on which they differ
    first, second = np.triu_indices(3, 1)
    assert largest([values], first, second).critical() < 6


def test_the_same_seed_gives_the_same_and_another_another() -> None:
    values = RNG.random((30, 5))
    first, second = np.triu_indices(5, 1)
    one = largest([values], first, second, seed=2, draws=999)
    assert (largest([values], first, second, seed=2, draws=999).drawn == one.drawn).all()
    assert (largest([values], first, second, seed=3, draws=999).drawn != one.drawn).any()


def test_too_much_work_and_single_queries_take_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = np.triu_indices(5, 1)
    monkeypatch.setattr(module, "MOST_WORK", 1e5)
    found = largest([RNG.random((30, 5))], first, second)
    assert not found.resampled
    assert found.critical() == pytest.approx(stats.t.isf(0.025 / 10, 29))
    assert found.p_values(np.array([0.0, 50.0])).tolist() == [1.0, pytest.approx(0.0, abs=1e-12)]
    single = largest([RNG.random((1, 5))], first, second)
    assert single.critical() == np.inf
    assert single.p_values(np.array([3.0])).tolist() == [1.0]


def test_rows_that_are_all_equal_have_students_t() -> None:
    found = largest([np.repeat(RNG.random((20, 1)), 3, axis=1)], *np.triu_indices(3, 1))
    assert found.critical() == pytest.approx(stats.t.isf(0.025, 19))
