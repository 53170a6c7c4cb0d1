"""The file of a sweep: which rows, recipes and settings are tried, what they are held against, and how they are looked
for.
"""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.base.errors import HarnessError, SettingError
from harness.base.files import slug
from harness.choices.expression import parse, with_settings
from harness.choices.value import RECIPES, Value
from harness.data.measures import DEFAULT, parse_measures
from harness.methods import METHODS, Method
from harness.recipes import Recipe
from harness.rows import NAMED, ROOMS, parse_method
from harness.searches import SEARCHES, SIZES, Axis, Choice, Point, Range, Search
from harness.sweep.toml import File, Key, read

ROW, RECIPE, WITHIN = "row", "recipe", "within"
HOLE = "{}"
"""In `within`: where the trained row stands."""
TOP = ("dataset", "baseline", "measure", "seeds", "search", "grid")
ALL = "all"
RANGE = ("low", "high", "log")


@dataclass(frozen=True)
class Spec:
    """A sweep as its file says it.

    Args:
        file: where it says so.
        datasets: names of the collections; one is chosen for each.
        baselines: rows to pass; the first is the one that gains are told against.
        measure: by which is chosen, in ir-measures' notation.
        seeds: how many each trained row is trained with.
        search: which points are tried.
        space: a grid for each `[[grid]]`; its axes are `row`, `recipe`, `within` and settings of the recipe.
    """

    file: File
    datasets: tuple[str, ...]
    baselines: tuple[Method, ...]
    measure: str
    seeds: int
    search: Search
    space: Sequence[Mapping[str, Axis]]

    @property
    def name(self) -> str:
        """The file's name without its ending."""
        return self.file.path.stem

    def method(self, point: Point) -> Method:
        """The row that a point is.

        Raises:
            SettingError: the settings do not go together; names the line of the grid.
        """
        try:
            return _method(point)
        except HarnessError as error:
            raise self.file.fault(str(error), "grid", point.grid) from error

    def group(self, point: Point) -> str:
        """Which row and recipe a point is of, whatever the settings."""
        within = str(point[WITHIN]) if WITHIN in point else HOLE
        return within.replace(HOLE, f"{point[ROW]}+{point[RECIPE]}")

    def group_of(self, grid: int) -> str:
        """The first row and recipe of a grid."""
        first = tuple((name, axis[0]) for name, axis in self.space[grid].items() if not isinstance(axis, Range))
        return self.group(Point(grid, first))


def _method(point: Point) -> Method:
    base: Any = trained(str(point[ROW]), str(point[RECIPE]))
    recipes: tuple[Recipe, ...] = getattr(base, RECIPES)
    given = {name: value for name, value in point.settings if name not in (ROW, RECIPE, WITHIN)}
    if given.get(SIZES, ...) is None:  # all there are, whatever an expression of the recipe says
        given[SIZES] = "None"
    last = with_settings(recipes[-1], given, METHODS, ROOMS, NAMED)
    method: Any = dataclasses.replace(base, **{RECIPES: (*recipes[:-1], last)})
    within = str(point[WITHIN]) if WITHIN in point else HOLE
    return method if within == HOLE else parse_method(within.replace(HOLE, str(method)))


def trained(row: str, recipe: str) -> Value:
    """A row with one more recipe.

    Raises:
        SettingError: the row is none that can be trained, or they are of different kinds.
    """
    base = parse_method(row)
    if not hasattr(base, RECIPES):
        raise SettingError(
            f'{row} is not itself trained: name what is, as row = "dense", and say within = "bm25>>{HOLE}".'
        )
    return parse_method(f"{base}+{recipe}")


CELLS = "cells"
"""The folder of the cells of all sweeps, beside those of each sweep's own figures."""


def load(path: Path) -> Spec:
    """Reads a sweep's file and builds every row that can be built beforehand, so that a fault is told before the first
    cell.

    Raises:
        SettingError: what is wrong, with the line and the closest name.
    """
    file = read(path)
    if slug(path.stem) == CELLS:
        raise SettingError(
            f"{path}: a sweep cannot be called {CELLS!r}, as the folder of all sweeps' cells is; call the file "
            f"otherwise."
        )
    file.only(TOP)
    data = file.data
    if not data.get("dataset"):
        raise file.fault('dataset is missing, as dataset = "beir/scifact"')
    if not isinstance(data.get("grid"), list) or not data["grid"]:
        raise file.fault("there is nothing to try: write a [[grid]] with row, recipe and settings", "grid")
    datasets = [str(name) for name in _several(file, "dataset")]
    baselines = [
        _told(file, lambda text=text: parse_method(str(text)), "baseline")
        for text in _several(file, "baseline", "bm25")
    ]
    if any(part.name() == "run" for method in baselines for part in (method, *_inside(method))):
        raise file.fault(
            "a run file ranks for the queries it was made for; a baseline has to rank dev queries too", "baseline"
        )
    measure = _told(file, lambda: parse_measures([str(data.get("measure", DEFAULT[0]))]), "measure")
    if len(measure) > 1:
        raise file.fault("one measure chooses, not several", "measure")
    seeds = data.get("seeds", 3)
    if not isinstance(seeds, int) or isinstance(seeds, bool) or seeds < 1:
        raise file.fault(f"seeds must be a whole number of 1 or more, not {seeds!r}", "seeds")
    search = _told(
        file, lambda: parse(str(data.get("search", "grid")), SEARCHES, {SEARCHES.package: SEARCHES}), "search"
    )
    space = [_grid(file, number) for number in range(len(data["grid"]))]
    spec = Spec(file, tuple(datasets), tuple(dict.fromkeys(baselines)), str(measure[0]), seeds, search, space)
    for stage in _told(file, lambda: search.stages(space), "search"):
        for point in stage.among:
            spec.method(point)
    return spec


def _grid(file: File, number: int) -> dict[str, Axis]:
    """The axes of one grid, each value of them tried with each recipe."""
    table = file.data["grid"][number]
    if not isinstance(table, dict):
        raise file.fault("grid must be written as [[grid]]", "grid")
    for name, example in ((ROW, "dense"), (RECIPE, "supervised")):
        if name not in table:
            raise file.fault(f'{name} is missing from this [[grid]], as {name} = "{example}"', "grid", number)
    axes = {name: _axis(file, name, ("grid", number, name)) for name in table}
    found: dict[str, Recipe] = {}
    for row in _values(file, axes, ROW, number):
        for text in _values(file, axes, RECIPE, number):
            value = _told(file, lambda r=row, t=text: trained(r, t), "grid", number, RECIPE)
            found[text] = getattr(value, RECIPES)[-1]
    _settings_of(file, number, found)
    for within in _values(file, axes, WITHIN, number) if WITHIN in axes else ():
        if HOLE not in within:
            told = f'within must say where the trained row stands, as "bm25>>{HOLE}", not {within!r}'
            raise file.fault(told, "grid", number, WITHIN)
    for name, axis in axes.items():
        if name not in (ROW, RECIPE, WITHIN):
            _try(file, number, name, axis, list(found.values()))
    return axes


def _settings_of(file: File, number: int, recipes: Mapping[str, Recipe]) -> None:
    """Refuses keys that are no settings of every recipe of the grid."""
    known = {text: {f.name for f in dataclasses.fields(recipe)} for text, recipe in recipes.items()}
    shared = set.intersection(*known.values())
    for name in file.data["grid"][number]:
        some = [text for text, settings in known.items() if name in settings]
        if name not in (ROW, RECIPE, WITHIN) and some and name not in shared:
            others = ", ".join(text for text in known if text not in some)
            told = f"{some[0]} has a setting {name!r} and {others} has not: give it a [[grid]] of its own"
            raise file.fault(told, "grid", number, name)
    file.only((ROW, RECIPE, WITHIN, *sorted(shared)), "grid", number)


def _try(file: File, number: int, name: str, axis: Axis, recipes: Sequence[Recipe]) -> None:
    """Gives each recipe each value of a setting, both ends of a range."""
    for value in (axis.low, axis.high) if isinstance(axis, Range) else axis:
        for recipe in recipes:
            given = {name: "None" if value is None else value}
            _told(file, lambda r=recipe, g=given: with_settings(r, g, METHODS, ROOMS, NAMED), "grid", number, name)


def _values(file: File, axes: Mapping[str, Axis], name: str, number: int) -> list[str]:
    axis = axes[name]
    if isinstance(axis, Range) or not all(isinstance(value, str) for value in axis):
        raise file.fault(f"{name} must be a text or a list of texts", "grid", number, name)
    return [str(value) for value in axis]


def _axis(file: File, name: str, keys: tuple[Key, ...]) -> Axis:
    held: Any = file.data
    for key in keys:
        held = held[key]
    if isinstance(held, dict):
        return _range(file, name, held, keys)
    values = list(held) if isinstance(held, list) else [held]
    if not values:
        raise file.fault(f"{name} lists nothing to choose from", *keys)
    if name == SIZES:
        wrong = [v for v in values if v != ALL and (isinstance(v, bool) or not isinstance(v, int) or v < 1)]
        if wrong:
            raise file.fault(f'{SIZES} are whole numbers of 1 or more, or "{ALL}", not {wrong[0]!r}', *keys)
        numbers: list[Choice] = sorted(v for v in values if v != ALL)
        return (*dict.fromkeys(numbers), *([None] if ALL in values else []))
    plain: list[Choice] = [tuple(v) if isinstance(v, list) else v for v in values]  # type: ignore[misc]
    return tuple(dict.fromkeys(plain))


def _range(file: File, name: str, held: Mapping[str, Any], keys: tuple[Key, ...]) -> Range:
    file.only(RANGE, *keys)
    numbers = {end: held.get(end) for end in ("low", "high")}
    if any(isinstance(v, bool) or not isinstance(v, int | float) for v in numbers.values()):
        raise file.fault(f"a range is {{ low = 1e-5, high = 1e-3, log = true }}; {name} lacks a number", *keys)
    low, high = typing.cast(float, numbers["low"]), typing.cast(float, numbers["high"])
    if not low < high or (held.get("log") and low <= 0):
        raise file.fault(
            f"the range of {name} must go up{', from above 0 where log = true' if held.get('log') else ''}", *keys
        )
    return Range(low, high, bool(held.get("log", False)))


def _several(file: File, name: str, default: str = "") -> list[Any]:
    held = file.data.get(name, default)
    found = held if isinstance(held, list) else [held]
    if not found or not all(isinstance(each, str) and each for each in found):
        raise file.fault(f"{name} must be a text or a list of texts", name)
    return list(dict.fromkeys(found))


def _told(file: File, make: Any, *keys: Key) -> Any:
    """What `make` gives; what is wrong with it, with the line."""
    try:
        return make()
    except HarnessError as error:
        raise file.fault(str(error), *keys) from error


def _inside(value: Value) -> list[Value]:
    return [inner for part in value.parts() for inner in (part, *_inside(part))]
