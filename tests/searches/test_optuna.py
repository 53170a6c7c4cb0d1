from __future__ import annotations

import sys

import pytest

from harness.base.errors import SettingError, Unavailable
from harness.searches import Point, Range, Space
from harness.searches.optuna import Optuna

SPACE: Space = [
    {"queries": (100, 300, None), "rate": Range(1e-5, 1e-1, log=True), "out": Range(2, 64), "kind": ("a", "b")}
]


def tried(search: Optuna, seed: int = 0, space: Space = SPACE) -> list[list[Point]]:
    pytest.importorskip("optuna")
    asked: list[list[Point]] = []

    def measure(points: list[Point]) -> list[float | None]:
        asked.append(list(points))
        return [-abs(float(p["rate"]) - 1e-3) + (p["queries"] is None) for p in points]  # type: ignore[arg-type]

    search.run(space, measure, seed)  # type: ignore[arg-type]
    return asked


def test_points_are_drawn_from_ranges_in_batches_with_the_most_queries() -> None:
    asked = tried(Optuna(trials=10, batch=4))
    assert list(map(len, asked)) == [4, 4, 2]
    for point in (p for points in asked for p in points):
        assert point["queries"] is None
        assert 1e-5 <= point["rate"] <= 1e-1  # type: ignore[operator]
        assert float(f"{point['rate']:.3g}") == point["rate"]
        assert isinstance(point["out"], int)
        assert point["kind"] in ("a", "b")


def test_another_seed_draws_other_points() -> None:
    assert tried(Optuna(trials=4)) != tried(Optuna(trials=4), seed=1)


@pytest.mark.parametrize("pruner", ["median", "halving"])
def test_a_pruner_goes_up_the_queries_and_gives_points_up(pruner: str) -> None:
    asked = tried(Optuna(trials=24, batch=2, pruner=pruner))  # type: ignore[arg-type]
    assert all(asked), "nothing is never measured"
    sizes = [points[0]["queries"] for points in asked]
    assert sizes[:3] == [100, 300, None]
    by_size = {size: sum(len(p) for s, p in zip(sizes, asked, strict=True) if s == size) for size in (100, 300, None)}
    assert by_size[100] == 24
    assert by_size[None] < 24


def test_a_space_without_training_queries_is_searched_too() -> None:
    pytest.importorskip("optuna")
    asked: list[Point] = []
    Optuna(trials=3, batch=1).run([{"x": Range(0.0, 1.0)}], lambda some: asked.extend(some) or [0.1] * len(some), 0)  # type: ignore[func-returns-value]
    assert len(asked) == 3
    assert Optuna(trials=3).stages([{"x": Range(0.0, 1.0)}])[0].label == "trials"


def test_without_the_library_the_remedy_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(Unavailable, match=r"optuna is not installed.*retrieval-harness\[optuna\]"):
        Optuna().stages(SPACE)


@pytest.mark.parametrize(
    ("settings", "told"), [({"trials": 0}, "trials"), ({"batch": 0}, "batch"), ({"pruner": "x"}, "pruner")]
)
def test_settings_out_of_range_are_refused(settings: dict[str, object], told: str) -> None:
    with pytest.raises(SettingError, match=told):
        Optuna(**settings)  # type: ignore[arg-type]
