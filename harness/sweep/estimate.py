"""The cost of a sweep before it runs: its cells, how many are done, and the time of the rest, from similar cells."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from harness.base.errors import HarnessError
from harness.bench.record import Record
from harness.cache.folders import Cache
from harness.methods import Method
from harness.searches import Point, Stage
from harness.sweep.cells import Cells
from harness.sweep.space import RECIPE
from harness.sweep.spec import Spec
from harness.sweep.trials import Trials
from harness.training.pace import expected
from harness.training.recipe import recipes_in


@dataclass(frozen=True)
class Planned:
    """A part of a sweep.

    Args:
        label: of the part.
        rows: how many are measured, at most.
        cells: rows times seeds.
        kept: cells that are done; at most so many of a later part, whose rows are not known yet.
        seconds: that a cell takes; None if unknown.
        source: of the seconds.
    """

    label: str
    rows: int
    cells: int
    kept: int
    seconds: float | None
    source: str

    @property
    def left(self) -> float | None:
        """Seconds of the cells that are not done."""
        return None if self.seconds is None else self.seconds * (self.cells - self.kept)


def planned(spec: Spec, trials: Trials, cells: Cells, records: Sequence[Record]) -> list[Planned]:
    """A line for each stage of the search; one for each row and recipe if all points are known beforehand.

    Args:
        spec: the sweep.
        trials: of one collection.
        cells: those that were done before.
        records: of other runs, used if no cell was done.
    """
    stages = spec.search.stages(spec.space)
    parts: list[Stage] = []
    for stage in stages:
        groups: dict[str, list[Point]] = {}
        if stage.points == len(stage.among):
            for point in stage.among:
                groups.setdefault(spec.group(point), []).append(point)
        grouped = [Stage(f"{stage.label}, {name}", len(points), tuple(points)) for name, points in groups.items()]
        parts += grouped or [stage]
    return [_part(spec, trials, stage, cells, records) for stage in parts]


def _part(spec: Spec, trials: Trials, stage: Stage, cells: Cells, records: Sequence[Record]) -> Planned:
    methods = {spec.method(trials.canonical(point)): point for point in stage.among}
    rows = min(stage.points, len(methods)) if methods else stage.points
    done: list[str] = []
    for method in methods:
        try:
            done += [key for _, key in trials.jobs(method) if cells.load(key) is not None]
        except HarnessError:
            continue
    seconds, source = _cell_seconds(spec, list(methods.values()), cells, records)
    if seconds is None:
        bounds = [_training_seconds(method, trials.cache) for method in methods]
        if known := [bound for bound in bounds if bound is not None]:
            seconds, source = statistics.median(known), "the tokens of its training, by trainings done here; at most"
    total = rows * spec.seeds
    return Planned(stage.label, rows, total, min(len(done), total), seconds, source)


def _training_seconds(method: Method, cache: Cache) -> float | None:
    """Seconds of all trainings of a row, those of its helpers too; None if one of them is not known."""
    recipes = [each for recipe in recipes_in(method) for each in (recipe, *recipe.helpers())]
    spent = [expected(recipe.name(), recipe.schedule(), cache) for recipe in recipes]
    return sum(filter(None, spent)) if spent and None not in spent else None


def _cell_seconds(
    spec: Spec, points: Sequence[Point], cells: Cells, records: Sequence[Record]
) -> tuple[float | None, str]:
    """Seconds of a cell of some points, and their source: cells of the same rows and recipes, else records of the same
    recipes.
    """
    groups = {spec.group(point) for point in points} or {spec.group_of(grid) for grid in range(len(spec.space))}
    spent = [cell["seconds"] for cell in cells.all() if cell.get("group") in groups]
    if spent:
        return statistics.median(spent), f"the median of {_number(spent, 'such cell')} done here"
    names = {_recipe_name(point[RECIPE]) for point in points if RECIPE in point}
    trained = [r for r in records if any(_recipe_name(training["recipe"]) in names for training in r.trainings)]
    spent = [record.training_seconds + record.seconds.get("index", 0.0) for record in trained]
    if spent:
        return statistics.median(spent), f"the median of {_number(spent, 'record')}, uncached"
    return None, "not known until one is done"


def _recipe_name(recipe: object) -> str:
    return str(recipe).partition("(")[0]


def _number(items: Sequence[object], noun: str) -> str:
    return f"{len(items)} {noun}{'s' if len(items) > 1 else ''}"
