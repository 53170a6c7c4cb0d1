from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from harness.statistics.curves import break_even, interval_of
from harness.statistics.optimism import winners_curse
from harness.sweep.result import SweepResult, choose, curve, gains
from harness.sweep.trial import Trial

Make = Callable[..., Trial]
RNG = np.random.default_rng(2)
EASE = RNG.random((40, 1))


def values(mean: float, seeds: int = 2) -> np.ndarray:
    return np.clip(EASE + mean + 0.1 * RNG.standard_normal((40, seeds)), 0, 1)


@pytest.fixture
def found(tried: Make) -> SweepResult:
    rows = [
        tried("a(100)", values(-0.2), 100, "a", "A"),
        tried("a(300)", values(0.1), 300, "a", "A"),
        tried("b(100)", values(-0.3), 100, "b", "A"),
        tried("b(300)", values(0.0), 300, "b", "A"),
        tried("c(100)", values(-0.1), 100, "c", "C"),
        tried("c(300)", values(0.05), 300, "c", "C"),
        tried("d", values(-0.05), None, "d", "D"),
        tried("e", values(0.9), 300, "e", "A", problem="it broke"),
    ]
    return SweepResult("s", "x/test", "nDCG@10", "grid", tuple(rows), (tried("bm25", EASE),))


def test_the_best_mean_on_dev_is_chosen_of_those_with_all_their_seeds(found: SweepResult) -> None:
    assert found.chosen is not None
    assert found.chosen.row == "a(300)"
    assert len(found.whole) == 7
    assert choose([]) is None


def test_of_equals_the_one_with_fewer_training_queries_is_chosen(tried: Make) -> None:
    same = [[0.5], [0.6]]
    rows = [tried("plain", same), tried("many", same, 300), tried("few", same, 100), tried("few too", same, 100)]
    chosen = choose(rows)
    assert chosen is not None
    assert chosen.row == "few"


def test_curves_are_by_settings_and_hold_what_the_statistics_say(found: SweepResult) -> None:
    curves = {one.config: one for one in found.curves}
    assert set(curves) == {"a", "b", "c"}
    assert [one.config for one in found.curves] == ["a", "c", "b"], "best first"
    assert [one.config for one in found.best_curves] == ["a", "c"], "one for each row and recipe"
    first, second = found.tried[:2]
    assert [spot.size for spot in curves["a"].spots] == [100, 300]
    assert curves["a"].spots[1].interval == interval_of(second.values)
    assert curves["a"].breaks == {"bm25": break_even([100, 300], [first.values, second.values], EASE)}
    assert 100 < curves["a"].breaks["bm25"].at < 300


def test_what_choosing_costs_is_of_all_rows(found: SweepResult) -> None:
    table = np.stack([one.values.mean(1) for one in found.whole], axis=1)
    assert found.curse == winners_curse(table)


def test_sizes_of_a_curve_are_put_in_order() -> None:
    drawn = curve("a", "A", {300: EASE, 100: EASE - 0.1}, {})
    assert [spot.size for spot in drawn.spots] == [100, 300]
    assert drawn.best == pytest.approx(EASE.mean())


def test_gains_by_hand(tried: Make, scored: Callable[..., object]) -> None:
    chosen, baseline = tried("a", [[0.5, 0.7], [0.9, 0.9]]), tried("bm25", [0.4, 0.4])
    test = scored("a", {"t1": 0.5, "t2": 0.3}, {"t1": 0.5, "t2": 0.5})
    other = scored("bm25", {"t1": 0.4, "t2": 0.5})
    found = gains(chosen, baseline, test, other)  # type: ignore[arg-type]
    assert found.looked == pytest.approx(((0.6 - 0.4) + (0.9 - 0.4)) / 2)
    assert found.found == pytest.approx(((0.5 - 0.4) + (0.4 - 0.5)) / 2)
