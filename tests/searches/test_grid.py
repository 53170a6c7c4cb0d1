from __future__ import annotations

import pytest

from harness.base.errors import SettingError
from harness.searches import Point, Range, points
from harness.searches.grid import Grid


def test_every_combination_once_in_order() -> None:
    asked: list[Point] = []
    Grid().run([{"a": (1, 2), "b": ("x", "y")}, {"a": (3,)}], lambda some: asked.extend(some) or [0.0] * len(some), 0)  # type: ignore[func-returns-value]
    assert [(p.grid, dict(p.settings)) for p in asked] == [
        (0, {"a": 1, "b": "x"}),
        (0, {"a": 1, "b": "y"}),
        (0, {"a": 2, "b": "x"}),
        (0, {"a": 2, "b": "y"}),
        (1, {"a": 3}),
    ]


def test_a_range_cannot_be_gone_through() -> None:
    with pytest.raises(
        SettingError, match='grid cannot enumerate the range of a: list values, or set search = "optuna"'
    ):
        Grid().stages([{"a": Range(0, 1)}])


def test_a_point_is_asked_by_its_axes() -> None:
    (point,) = points([{"a": (1,), "b": (None,)}], "grid")
    assert point["a"] == 1
    assert "b" in point
    assert "c" not in point
    assert point.at("a", 5)["a"] == 5
    assert point.at("c", 5) == point
