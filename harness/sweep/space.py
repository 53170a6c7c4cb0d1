"""The space of a sweep: the grids of its file as axes, every value checked with every recipe or row."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Final, TypeVar

from harness.base.errors import HarnessError, SettingError
from harness.base.toml_files import File, Key
from harness.choices.expression import with_settings
from harness.choices.paths import with_paths
from harness.choices.value import RECIPES, Value
from harness.methods import METHODS, Method
from harness.recipes import Recipe
from harness.rows import NAMED, ROOMS, parse_method
from harness.searches import SIZES, Axis, Choice, Range

T = TypeVar("T")
ROW, RECIPE, WITHIN = "row", "recipe", "within"
HOLE: Final = "{}"
"""In `within`: the place of the trained row."""
ALL: Final = "all"
RANGE: Final = ("low", "high", "log")


def located(file: File, make: Callable[[], T], *keys: Key) -> T:
    """What `make` returns; its error is raised with the line of the file.

    Raises:
        SettingError: of `make`.
    """
    try:
        return make()
    except HarnessError as error:
        raise file.fault(str(error), *keys) from error


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


def read_grid(file: File, number: int) -> dict[str, Axis]:
    """The axes of one grid of the file, each of their values checked with each recipe.

    Raises:
        SettingError: what is wrong, with the line.
    """
    table = file.data["grid"][number]
    if not isinstance(table, dict):
        raise file.fault("grid must be written as [[grid]]", "grid")
    if ROW not in table:
        raise file.fault(f'{ROW} is missing from this [[grid]], as {ROW} = "bm25"', "grid", number)
    if RECIPE not in table:
        return _grid_without_recipe(file, number, table)
    axes = {name: _axis(file, name, ("grid", number, name)) for name in table}
    recipes: dict[str, Recipe] = {}
    for row in _values(file, axes, ROW, number):
        for text in _values(file, axes, RECIPE, number):
            value = located(file, partial(trained, row, text), "grid", number, RECIPE)
            recipes[text] = getattr(value, RECIPES)[-1]
    _check_names(file, number, recipes)
    _check_within(file, axes, number)
    for name, axis in axes.items():
        if name not in (ROW, RECIPE, WITHIN):
            _check_values(file, number, name, axis, list(recipes.values()))
    return axes


def _grid_without_recipe(file: File, number: int, table: Mapping[str, Any]) -> dict[str, Axis]:
    """The axes of a grid whose rows are as they are: settings of the row and of what is inside it."""
    if SIZES in table:
        raise file.fault(f"{SIZES} needs a recipe, which is what learns from them", "grid", number, SIZES)
    keys = dict(_flat(table))
    axes = {name: _axis(file, name, ("grid", number, *keys[name])) for name in keys}
    _check_within(file, axes, number)
    for row in _values(file, axes, ROW, number):
        method = located(file, partial(parse_method, row), "grid", number, ROW)
        for name, axis in axes.items():
            if name in (ROW, WITHIN):
                continue
            for value in (axis.low, axis.high) if isinstance(axis, Range) else axis:
                others = {other: _first(axis) for other, axis in axes.items() if name.startswith(f"{other}.")}
                located(file, partial(with_settings_of, method, {**others, name: value}), "grid", number, *keys[name])
    return axes


def _flat(table: Mapping[str, Any], *way: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Each setting with its keys: in `first.k1 = [1, 2]`, TOML has a table `first` with the key `k1`."""
    for name, entry in table.items():
        if isinstance(entry, dict) and not set(entry) & set(RANGE):
            yield from _flat(entry, *way, name)
        else:
            yield ".".join((*way, name)), (*way, name)


def _first(axis: Axis) -> Choice:
    """A value of an axis that what is inside it can be checked with: the last, for the first may be None."""
    return axis.low if isinstance(axis, Range) else axis[-1]


def with_settings_of(method: Method, settings: Mapping[str, Choice]) -> Method:
    """A row with other settings, its own or of what is inside it (`harness.choices.paths`).

    Raises:
        UnknownName, SettingError: a setting that does not exist or does not fit.
    """
    plain = {name: "None" if value is None else value for name, value in settings.items()}
    return with_paths(method, plain, METHODS, ROOMS, NAMED)


def _check_within(file: File, axes: Mapping[str, Axis], number: int) -> None:
    for within in _values(file, axes, WITHIN, number) if WITHIN in axes else ():
        if HOLE not in within:
            problem = f'within must have a place for the trained row, as "bm25>>{HOLE}", not {within!r}'
            raise file.fault(problem, "grid", number, WITHIN)


def _check_names(file: File, number: int, recipes: Mapping[str, Recipe]) -> None:
    """Refuses keys that are no settings of every recipe of the grid."""
    known = {text: {f.name for f in dataclasses.fields(recipe)} for text, recipe in recipes.items()}
    shared = set.intersection(*known.values())
    for name in file.data["grid"][number]:
        some = [text for text, settings in known.items() if name in settings]
        if name not in (ROW, RECIPE, WITHIN) and some and name not in shared:
            others = ", ".join(text for text in known if text not in some)
            problem = f"{some[0]} has a setting {name!r} and {others} has not: give it a [[grid]] of its own"
            raise file.fault(problem, "grid", number, name)
    file.only((ROW, RECIPE, WITHIN, *sorted(shared)), "grid", number)


def _check_values(file: File, number: int, name: str, axis: Axis, recipes: Sequence[Recipe]) -> None:
    """Gives each recipe each value of a setting, both ends of a range."""
    for value in (axis.low, axis.high) if isinstance(axis, Range) else axis:
        for recipe in recipes:
            setting = {name: "None" if value is None else value}
            located(file, partial(with_settings, recipe, setting, METHODS, ROOMS, NAMED), "grid", number, name)


def _values(file: File, axes: Mapping[str, Axis], name: str, number: int) -> list[str]:
    axis = axes[name]
    if isinstance(axis, Range) or not all(isinstance(value, str) for value in axis):
        raise file.fault(f"{name} must be a text or a list of texts", "grid", number, name)
    return [str(value) for value in axis]


def _axis(file: File, name: str, keys: tuple[Key, ...]) -> Axis:
    entry: Any = file.data
    for key in keys:
        entry = entry[key]
    if isinstance(entry, dict):
        return _range(file, name, entry, keys)
    values = list(entry) if isinstance(entry, list) else [entry]
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


def _range(file: File, name: str, entry: Mapping[str, Any], keys: tuple[Key, ...]) -> Range:
    file.only(RANGE, *keys)
    numbers = {end: entry.get(end) for end in ("low", "high")}
    if any(isinstance(v, bool) or not isinstance(v, int | float) for v in numbers.values()):
        raise file.fault(f"a range is {{ low = 1e-5, high = 1e-3, log = true }}; {name} lacks a number", *keys)
    low, high = typing.cast(float, numbers["low"]), typing.cast(float, numbers["high"])
    if not low < high or (entry.get("log") and low <= 0):
        start = ", from above 0 if log = true" if entry.get("log") else ""
        raise file.fault(f"the range of {name} must increase{start}", *keys)
    return Range(low, high, bool(entry.get("log", False)))
