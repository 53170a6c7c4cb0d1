"""The file of a sweep: which rows, recipes and settings are tried, their baselines, and the search."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from harness.base.errors import HarnessError, SettingError
from harness.base.files import slug
from harness.base.toml_files import File, read
from harness.bench.aliases import aliases_of, rows_in, spelled
from harness.choices.expression import parse, with_settings
from harness.choices.value import RECIPES, Value
from harness.data.measures import DEFAULT, parse_measures
from harness.methods import METHODS, Method
from harness.recipes import Recipe
from harness.rows import NAMED, ROOMS, parse_method
from harness.searches import SEARCHES, SIZES, Axis, Point, Range, Search
from harness.sweep.space import HOLE, RECIPE, ROW, WITHIN, located, read_grid, trained, with_settings_of

TOP = ("dataset", "baseline", "rows", "measure", "seeds", "search", "grid")
CELLS = "cells"
"""The folder of the cells of all sweeps, next to each sweep's own folder."""


@dataclass(frozen=True)
class Spec:
    """A sweep as its file describes it.

    Args:
        file: its file.
        datasets: names of the collections; one is chosen for each.
        baselines: rows to exceed; gains are reported over the first.
        measure: that chooses the row, in ir-measures' notation.
        seeds: number of seeds of each trained row.
        search: which points are tried.
        space: a grid for each `[[grid]]`; its axes are `row`, `recipe`, `within` and settings of the recipe, or of the
            row if there is no recipe.
        aliases: names that its file gives to baselines.
    """

    file: File
    datasets: tuple[str, ...]
    baselines: tuple[Method, ...]
    measure: str
    seeds: int
    search: Search
    space: Sequence[Mapping[str, Axis]]
    aliases: Mapping[Method, str] = dataclasses.field(default_factory=dict)

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
        return within.replace(HOLE, f"{point[ROW]}+{point[RECIPE]}" if RECIPE in point else str(point[ROW]))

    def group_of(self, grid: int) -> str:
        """The first row and recipe of a grid."""
        first = tuple((name, axis[0]) for name, axis in self.space[grid].items() if not isinstance(axis, Range))
        return self.group(Point(grid, first))


def _method(point: Point) -> Method:
    settings = {name: value for name, value in point.settings if name not in (ROW, RECIPE, WITHIN)}
    within = str(point[WITHIN]) if WITHIN in point else HOLE
    if RECIPE not in point:
        row = with_settings_of(parse_method(str(point[ROW])), settings)
        return row if within == HOLE else parse_method(within.replace(HOLE, str(row)))
    base: Any = trained(str(point[ROW]), str(point[RECIPE]))
    recipes: tuple[Recipe, ...] = getattr(base, RECIPES)
    if settings.get(SIZES, ...) is None:  # all there are, whatever an expression of the recipe says
        settings[SIZES] = "None"
    last = with_settings(recipes[-1], settings, METHODS, ROOMS, NAMED)
    method: Any = dataclasses.replace(base, **{RECIPES: (*recipes[:-1], last)})
    return method if within == HOLE else parse_method(within.replace(HOLE, str(method)))


def load(path: Path) -> Spec:
    """Reads a sweep's file; see `spec_of`.

    Raises:
        SettingError: what is wrong, with the line and the closest name.
    """
    return spec_of(read(path))


def spec_of(file: File) -> Spec:
    """A sweep from what its file has; every row that is known beforehand is built, so that an error is raised before
    the first cell.

    Raises:
        SettingError: what is wrong, with the line and the closest name.
    """
    if slug(file.path.stem) == CELLS:
        raise SettingError(
            f"{file.path}: a sweep cannot be called {CELLS!r}, which is the folder of all sweeps' cells; rename the "
            "file."
        )
    file.only(TOP)
    data = file.data
    if not data.get("dataset"):
        raise file.fault('dataset is missing, as dataset = "beir/scifact"')
    if not isinstance(data.get("grid"), list) or not data["grid"]:
        raise file.fault("there is nothing to try: write a [[grid]] with a row and its settings", "grid")
    datasets = [str(name) for name in _several(file, "dataset")]
    rows = rows_in(file)
    texts = [located(file, partial(spelled, str(t), rows), "baseline") for t in _several(file, "baseline", "bm25")]
    baselines = [located(file, partial(parse_method, text), "baseline") for text in texts]
    if any(part.name() == "run" for method in baselines for part in (method, *_inside(method))):
        raise file.fault(
            "a run file has rankings of its own queries only; a baseline has to rank dev queries too", "baseline"
        )
    measure = located(file, lambda: parse_measures([str(data.get("measure", DEFAULT[0]))]), "measure")
    if len(measure) > 1:
        raise file.fault("one measure chooses, not several", "measure")
    seeds = data.get("seeds", 3)
    if not isinstance(seeds, int) or isinstance(seeds, bool) or seeds < 1:
        raise file.fault(f"seeds must be a whole number of 1 or more, not {seeds!r}", "seeds")
    search = located(
        file, lambda: parse(str(data.get("search", "grid")), SEARCHES, {SEARCHES.package: SEARCHES}), "search"
    )
    space = [read_grid(file, number) for number in range(len(data["grid"]))]
    for number, grid in enumerate(space):
        if RECIPE not in grid and any(parse_method(str(row)).name() == "run" for row in _values_of(grid)):
            raise file.fault("a run file ranks its own queries only, not dev queries", "grid", number, ROW)
    aliases = located(file, lambda: aliases_of(texts), "baseline")
    spec = Spec(file, tuple(datasets), tuple(dict.fromkeys(baselines)), str(measure[0]), seeds, search, space, aliases)
    for stage in located(file, lambda: search.stages(space), "search"):
        for point in stage.among:
            spec.method(point)
    return spec


def _values_of(grid: Mapping[str, Axis]) -> tuple[object, ...]:
    rows = grid[ROW]
    return () if isinstance(rows, Range) else rows


def _several(file: File, name: str, default: str = "") -> list[Any]:
    entry = file.data.get(name, default)
    texts = entry if isinstance(entry, list) else [entry]
    if not texts or not all(isinstance(text, str) and text for text in texts):
        raise file.fault(f"{name} must be a text or a list of texts", name)
    return list(dict.fromkeys(texts))


def _inside(value: Value) -> list[Value]:
    return [inner for part in value.parts() for inner in (part, *_inside(part))]
