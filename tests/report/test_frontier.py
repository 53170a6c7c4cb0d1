"""Rows that no other beats at once in quality and in cost."""

from __future__ import annotations

import random
import time

from hypothesis import given
from hypothesis import strategies as st

from harness.report.frontier import non_dominated

POINTS = st.lists(st.tuples(st.integers(0, 5).map(float), st.integers(0, 5).map(float)), max_size=12)


def test_cheap_and_good_rows_stand_and_what_is_dearer_and_worse_does_not() -> None:
    assert non_dominated([(1.0, 0.5), (2.0, 0.4), (3.0, 0.9), (3.0, 0.8)]) == [True, False, True, False]


def test_equal_rows_stand_together() -> None:
    assert non_dominated([(1.0, 0.5), (1.0, 0.5)]) == [True, True]


@given(POINTS)
def test_some_row_always_stands_and_every_other_is_beaten_by_one_that_stands(points: list[tuple[float, float]]) -> None:
    stands = non_dominated(points)
    best = [p for p, free in zip(points, stands, strict=True) if free]
    assert bool(best) == bool(points)
    for point, free in zip(points, stands, strict=True):
        assert free or any(b[0] <= point[0] and b[1] >= point[1] and b != point for b in best)


def test_many_points_give_what_comparing_all_pairs_gives() -> None:
    rng = random.Random(3)
    points = [(float(rng.randrange(12)), rng.randrange(12) / 10) for _ in range(300)]
    beaten = [any(o[0] <= p[0] and o[1] >= p[1] and o != p for o in points) for p in points]
    assert non_dominated(points) == [not each for each in beaten]


def test_ten_thousand_points_take_no_time_to_speak_of() -> None:
    points = [(float(i), i / 10_000) for i in range(10_000)]
    started = time.process_time()
    assert all(non_dominated(points))
    assert time.process_time() - started < 2  # all pairs would take half a minute
