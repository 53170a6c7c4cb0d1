"""Searches: which points of a space are tried, one way per file.

A space is a list of grids; a grid names axes and their values. A search has points measured on dev, and may use their
means before it requests more. It never sees test. To add one: a file here with one frozen dataclass that derives from
`Search`, and `tests/searches/test_<file>.py`.
"""

from __future__ import annotations

import itertools
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from harness.base.errors import SettingError
from harness.choices.room import Room
from harness.choices.value import Value

SIZES = "queries"
"""The axis of the number of training queries, on which a learning curve is drawn."""
Choice = str | int | float | bool | None


@dataclass(frozen=True)
class Range:
    """Numbers from `low` to `high`, both of them included.

    Args:
        low: the least.
        high: the greatest.
        log: drawn evenly on a logarithmic scale.
    """

    low: float
    high: float
    log: bool = False

    @property
    def whole(self) -> bool:
        """Whether only whole numbers are drawn: both ends are whole."""
        return isinstance(self.low, int) and isinstance(self.high, int)


Axis = tuple[Choice, ...] | Range
"""What may be chosen: some values, or a range."""
Space = Sequence[Mapping[str, Axis]]
"""Grids: axis → what may be chosen on it."""


@dataclass(frozen=True)
class Point:
    """One value on each axis of a grid.

    Args:
        grid: its number in the space.
        settings: (axis, value) in the order of the grid's axes.
    """

    grid: int
    settings: tuple[tuple[str, Choice], ...]

    def __getitem__(self, axis: str) -> Choice:
        return dict(self.settings)[axis]

    def __contains__(self, axis: str) -> bool:
        return any(name == axis for name, _ in self.settings)

    def get(self, axis: str) -> Choice:
        """Its value on an axis; None without that axis."""
        return dict(self.settings).get(axis)

    def at(self, axis: str, value: Choice) -> Point:
        """The same point with another value on an axis that it has."""
        settings = dict(self.settings)
        if axis in settings:
            settings[axis] = value
        return Point(self.grid, tuple(settings.items()))


Measure = Callable[[Sequence[Point]], list[float | None]]
"""Points → their means on dev over the seeds; None without scores. Measuring a point again costs nothing."""


@dataclass(frozen=True)
class Stage:
    """A part of a search, to estimate its cost beforehand.

    Args:
        label: readable name.
        points: how many are measured, at most.
        among: the possible points; none if they are drawn from ranges.
    """

    label: str
    points: int
    among: tuple[Point, ...] = ()


class Search(Value, ABC):
    """A way to search for the best point: settings only."""

    room: ClassVar[str] = "harness.searches"

    @abstractmethod
    def stages(self, space: Space) -> list[Stage]:
        """What it will measure, in order.

        Raises:
            SettingError: it cannot search this space; says why.
            Unavailable: it needs a library that is not installed.
        """

    @abstractmethod
    def run(self, space: Space, measure: Measure, seed: int) -> None:
        """Has points measured; the same points for the same seed and the same means."""


SEARCHES: Room[Search] = Room(__name__, Search, "search")  # type: ignore[type-abstract]


def points(space: Space, search: str) -> list[Point]:
    """Every point of every grid.

    Raises:
        SettingError: a grid has a range, which `search` cannot enumerate.
    """
    return [point for number, grid in enumerate(space) for point in _points(number, grid, search)]


def _points(number: int, grid: Mapping[str, Axis], search: str) -> Iterator[Point]:
    choices = []
    for axis, values in grid.items():
        if isinstance(values, Range):
            raise SettingError(f'{search} cannot enumerate the range of {axis}: list values, or set search = "optuna".')
        choices.append([(axis, value) for value in values])
    return (Point(number, settings) for settings in itertools.product(*choices))


def ascending(space: Space, axis: str, search: str) -> list[Choice]:
    """The values of an axis in all grids, the smallest first; None, which means all, last.

    Raises:
        SettingError: a grid lacks the axis, or its values are not numbers.
    """
    distinct: set[Choice] = set()
    for number, grid in enumerate(space, 1):
        values = grid.get(axis)
        if not isinstance(values, tuple):
            raise SettingError(f"{search} goes by {axis}, but grid {number} lists no values of it.")
        distinct |= set(values)
    if any(isinstance(value, (str, bool)) for value in distinct):
        raise SettingError(f"{search} goes by {axis} from small to large, but its values are not numbers.")
    return sorted(distinct, key=lambda value: float("inf") if value is None else float(value))
