from __future__ import annotations

from collections.abc import Callable

import pytest

from harness.sweep.trial import Trial, TrialOutcome


def test_a_trial_has_a_query_a_line_and_a_seed_a_column(tried: Callable[..., Trial]) -> None:
    trial = tried("a", [[0.1, 0.3], [0.5, 0.7]])
    assert trial.ids == ("q00", "q01")
    assert trial.values.tolist() == [[0.1, 0.3], [0.5, 0.7]]
    assert trial.mean == pytest.approx(0.4)
    assert trial.seconds == 1.0
    difference, interval = trial.against(tried("b", [[0.0, 0.2], [0.4, 0.6]]))
    assert difference == pytest.approx(0.1)
    assert interval.low < difference < interval.high


def test_an_outcome_puts_seeds_in_order_and_a_problem_makes_the_trial_fail(tried: Callable[..., Trial]) -> None:
    trial = tried("a", [[0.1, 0.3]])
    first, second = trial.cells
    done = TrialOutcome({1: second, 0: first}).of(trial)
    assert (done.cells, done.ok) == ((first, second), True)
    failed = TrialOutcome({0: first}, "no memory").of(trial)
    assert (failed.cells, failed.ok, failed.skipped) == ((first,), False, False)
