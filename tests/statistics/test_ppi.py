"""Prediction-powered estimates: the numbers of ppi-python, unbiased for every weight, intervals that cover."""

from __future__ import annotations

import numpy as np
import pytest

from harness.statistics.paired import Values
from harness.statistics.ppi import (
    estimates,
    intervals,
    people_needed,
    strata,
    tuned,
    tuned_for_differences,
)


def drawn(seed: int, n: int, others: int, columns: int = 2, bias: float = 0.05) -> tuple[Values, Values, Values]:
    """People's values, machine values that go with them, machine values of other queries."""
    rng = np.random.default_rng(seed)
    truth = rng.random((n + others, columns))
    machine = 0.6 * truth + 0.4 * rng.random((n + others, columns)) + bias
    return truth[:n], machine[:n], machine[n:]


ESTIMATES = {
    0.25: (0.4412658734375, 0.4276728328125),
    0.5: (0.439265021875, 0.433623140625),
    1.0: (0.43526331875, 0.44552375625),
}
INTERVALS = ((0.36779957144554676, 0.5107304723044533), (0.36878449064872465, 0.49846179060127527))


def test_the_estimates_and_intervals_of_ppi_python() -> None:
    """`ppi_mean_pointestimate(Y, Yhat, Yhat_unlabeled, lam=…)` and `ppi_mean_ci(…, lam=0.5, alpha=0.05)` of version
    0.2.3 on these values.
    """
    people, machine, others = (np.round(each, 6) for each in drawn(11, 40, 160))
    for weight, due in ESTIMATES.items():
        assert estimates(strata(people, machine, others, weight)) == pytest.approx(due, abs=1e-12)
    for one, (low, high) in zip(intervals(strata(people, machine, others, 0.5)), INTERVALS, strict=True):
        # It uses the normal distribution and variances over n; by Student's t the interval is a little wider.
        assert one.low < low < high < one.high
        assert high - low == pytest.approx(one.high - one.low, rel=0.06)


def test_strata_give_the_estimate_by_hand() -> None:
    people, machine, others = drawn(0, 20, 80)
    for weight in (0.0, 0.3, 1.0):
        by_hand = weight * others.mean(0) + (people - weight * machine).mean(0)
        assert estimates(strata(people, machine, others, weight)) == pytest.approx(by_hand)
    assert estimates(strata(people, machine, others[:0], 0.7)) == pytest.approx(people.mean(0))


def test_the_weight_is_the_one_of_least_variance() -> None:
    people, machine, others = drawn(1, 60, 240, columns=1)

    def error(weight: float) -> float:
        return sum(float(p.var(axis=0, ddof=1)[0]) / (4 * len(p)) for p in strata(people, machine, others, weight))

    best = min(np.linspace(0.01, 1, 100), key=error)
    assert tuned(people, machine, others) == pytest.approx(best, abs=0.1)
    assert tuned(people, 0 * machine, 0 * others) == 0
    assert tuned(people, 1 - machine, 1 - others) == 0  # a judge that is wrong throughout gets no weight
    assert tuned(people, people, others) <= 1


def test_the_weight_for_differences_ignores_what_all_rows_have_in_common() -> None:
    rng = np.random.default_rng(2)
    ease = rng.random((300, 1))
    people = ease + 0.1 * rng.standard_normal((300, 2))
    machine = ease + 0.1 * rng.standard_normal((300, 2))  # knows easy queries, but not which row is better
    parts = people[:60], machine[:60], machine[60:]
    assert tuned(*parts) > 0.5
    assert tuned_for_differences(*parts) < 0.3
    one = tuple(part[:, :1] for part in parts)
    assert tuned_for_differences(*one) == tuned(*one)


def test_intervals_cover_the_truth_and_those_of_machine_labels_do_not() -> None:
    covered = naive = 0
    for seed in range(400):
        people, machine, others = drawn(seed, 30, 170, columns=1)
        [own] = intervals(strata(people, machine, others, tuned(people, machine, others)))
        [machines] = intervals([np.concatenate([machine, others])])
        covered += own.low <= 0.5 <= own.high
        naive += machines.low <= 0.5 <= machines.high
    assert 0.92 <= covered / 400 <= 0.98
    assert naive / 400 < 0.5


def test_more_people_are_needed_for_a_smaller_difference() -> None:
    parts = drawn(3, 30, 470)
    needed = [people_needed(*parts, difference) for difference in (0.5, 0.1, 0.05, 0.001)]
    assert needed == sorted(needed)
    assert needed[0] == 30
    assert needed[-1] == 500


def test_equal_values_have_intervals_of_no_width() -> None:
    same = np.full((20, 1), 0.5)
    [one] = intervals(strata(same, same, same, 1.0))
    assert (one.low, one.high) == (0.5, 0.5)
