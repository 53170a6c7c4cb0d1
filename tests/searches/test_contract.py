"""What holds for every file of the room."""

from __future__ import annotations

import dataclasses
import json

import pytest

from harness.choices.expression import parse
from harness.searches import SEARCHES, Point, Range, Search, Space

ROOMS = {SEARCHES.package: SEARCHES}
SPACE: Space = [
    {"row": ("dense",), "queries": (100, 300, None), "rate": (1, 2, 3)},
    {"row": ("dense", "other"), "queries": (100, 300, None)},
]


@pytest.fixture(params=SEARCHES.names())
def search(request: pytest.FixtureRequest) -> Search:
    pytest.importorskip("optuna")
    return SEARCHES.get(request.param)()


def figure(point: Point) -> float:
    """Best: grid 0 with rate 2 and all queries."""
    size = point["queries"] or 1000
    rate = point.get("rate") or 0
    return 1.0 - (rate - 2) ** 2 / 10 + float(size) / 10_000  # type: ignore[operator,arg-type]


def done(search: Search, seed: int = 0) -> list[list[Point]]:
    asked: list[list[Point]] = []

    def measure(points: list[Point]) -> list[float | None]:
        asked.append(list(points))
        return [figure(p) for p in points]

    search.run(SPACE, measure, seed)  # type: ignore[arg-type]
    return asked


def test_a_search_is_a_frozen_value(search: Search) -> None:
    assert parse(str(search), SEARCHES, ROOMS) == search
    assert parse(search.full(), SEARCHES, ROOMS) == search
    assert json.loads(json.dumps(search.settings())) == search.settings()
    for field in dataclasses.fields(search):  # type: ignore[arg-type]
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(search, field.name, 1)
    assert SEARCHES.summary(search.name())


def test_it_asks_for_points_of_the_space_alone_and_as_many_as_it_says(search: Search) -> None:
    asked = done(search)
    for points in asked:
        for point in points:
            grid = SPACE[point.grid]
            assert [name for name, _ in point.settings] == list(grid)
            assert all(value in grid[name] for name, value in point.settings if not isinstance(grid[name], Range))  # type: ignore[operator]
    stages = search.stages(SPACE)
    assert sum(map(len, asked)) == sum(stage.points for stage in stages)
    for stage in stages:
        assert not stage.among or len(stage.among) >= stage.points


def test_it_finds_the_best_of_an_easy_space(search: Search) -> None:
    best = max((p for points in done(search) for p in points), key=figure)
    assert (best.grid, best["rate"], best["queries"]) == (0, 2, None)


def test_it_asks_for_the_same_points_again(search: Search) -> None:
    assert done(search) == done(search)


def test_points_that_give_nothing_do_not_stop_it(search: Search) -> None:
    asked: list[Point] = []

    def measure(points: list[Point]) -> list[float | None]:
        asked.extend(points)
        return [None for _ in points]

    search.run(SPACE, measure, 0)  # type: ignore[arg-type]
    assert asked
