from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.base.errors import SettingError
from harness.searches import Point
from harness.searches.halving import Halving


def rungs(search: Halving, rates: list[int], sizes: tuple[int | None, ...]) -> list[tuple[object, list[object]]]:
    seen: list[tuple[object, list[object]]] = []

    def measure(points: list[Point]) -> list[float | None]:
        seen.append((points[0][search.by], [p["rate"] for p in points]))
        return [float(p["rate"]) for p in points]  # type: ignore[arg-type]

    search.run([{"queries": sizes, "rate": tuple(rates)}], measure, 0)  # type: ignore[arg-type]
    return seen


def test_the_best_third_goes_on_from_rung_to_rung_the_smallest_first() -> None:
    assert rungs(Halving(), list(range(9)), (None, 300, 100)) == [
        (100, list(range(9))),
        (300, [8, 7, 6]),
        (None, [8]),
    ]


@given(st.integers(1, 40), st.sampled_from([0.1, 1 / 3, 0.5, 0.9]), st.integers(1, 4))
def test_how_many_go_on(count: int, keep: float, height: int) -> None:
    search = Halving(keep=keep)
    sizes = tuple(10 * 2**i for i in range(height))
    seen = rungs(search, list(range(count)), sizes)
    assert [len(rates) for _, rates in seen] == [
        s.points for s in search.stages([{"queries": sizes, "rate": tuple(range(count))}])
    ]
    for (_, before), (_, after) in itertools.pairwise(seen):
        assert len(after) == max(1, math.ceil(keep * len(before) - 1e-9))
        assert set(after) == set(sorted(before)[-len(after) :])  # type: ignore[type-var]


def test_what_gives_nothing_does_not_go_on_and_equals_keep_their_order() -> None:
    seen: list[list[object]] = []

    def measure(points: list[Point]) -> list[float | None]:
        seen.append([p["rate"] for p in points])
        return [None if p["rate"] == 1 else 0.5 for p in points]

    Halving(keep=0.5).run([{"queries": (1, 2), "rate": (1, 2, 3, 4)}], measure, 0)  # type: ignore[arg-type]
    assert seen == [[1, 2, 3, 4], [2, 3]]


@pytest.mark.parametrize(
    ("space", "told"),
    [
        ({"rate": (1, 2)}, "goes by queries, but grid 1 lists no values"),
        ({"queries": ("a", "b")}, "not numbers"),
    ],
)
def test_a_space_it_cannot_go_up_is_refused(space: dict[str, tuple[object, ...]], told: str) -> None:
    with pytest.raises(SettingError, match=told):
        Halving().stages([space])  # type: ignore[list-item]


@pytest.mark.parametrize("keep", [0, 1, 1.5, -0.1])
def test_a_share_out_of_range_is_refused(keep: float) -> None:
    with pytest.raises(SettingError, match="keep must be above 0 and below 1"):
        Halving(keep=keep)


def test_another_axis_may_grow() -> None:
    seen: list[tuple[object, int]] = []

    def measure(points: list[Point]) -> list[float | None]:
        seen.append((points[0]["epochs"], len(points)))
        return [float(p["rate"]) for p in points]  # type: ignore[arg-type]

    Halving(keep=0.5, by="epochs").run([{"epochs": (1, 4), "rate": (1, 2)}], measure, 0)  # type: ignore[arg-type]
    assert seen == [(1, 2), (4, 1)]
