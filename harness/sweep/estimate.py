"""What a sweep will take, told before it: cells, those that are done, and the time of the rest by what such cells
took.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from harness.base.errors import HarnessError
from harness.bench.record import Record
from harness.searches import Stage
from harness.sweep.cells import Cells
from harness.sweep.spec import RECIPE, Spec
from harness.sweep.trials import Tries


@dataclass(frozen=True)
class Planned:
    """A part of a sweep.

    Args:
        label: which.
        rows: how many are measured, at most.
        cells: rows times seeds.
        kept: cells that are done; at most so many of a later part, whose rows are not known yet.
        seconds: that a cell takes; None where nobody knows.
        source: where that is from.
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


def planned(spec: Spec, tries: Tries, cells: Cells, records: Sequence[Record]) -> list[Planned]:
    """A line for each stage of the search; one for each row and recipe where all points are known beforehand.

    Args:
        spec: the sweep.
        tries: of one collection.
        cells: what was done in it before.
        records: of other runs, where no cell was done.
    """
    stages = spec.search.stages(spec.space)
    parts: list[Stage] = []
    for stage in stages:
        groups: dict[str, list] = {}  # type: ignore[type-arg]
        for point in stage.among if stage.points == len(stage.among) else ():
            groups.setdefault(spec.group(point), []).append(point)
        parts += [Stage(f"{stage.label}, {name}", len(held), tuple(held)) for name, held in groups.items()] or [stage]
    return [_part(spec, tries, stage, cells, records) for stage in parts]


def _part(spec: Spec, tries: Tries, stage: Stage, cells: Cells, records: Sequence[Record]) -> Planned:
    methods = {spec.method(tries.canonical(point)): point for point in stage.among}
    rows = min(stage.points, len(methods)) if methods else stage.points
    done: list[str] = []
    for method in methods:
        try:
            done += [key for _, key in tries.jobs(method) if cells.load(key) is not None]
        except HarnessError:
            continue
    points = list(methods.values())
    groups = {spec.group(point) for point in points} or {spec.group_of(grid) for grid in range(len(spec.space))}
    before = [cell["seconds"] for cell in cells.all() if cell.get("group") in groups]
    seconds, source = None, "not known until one is done"
    if before:
        seconds, source = (
            statistics.median(before),
            f"the median of {len(before)} such cell{'s' * (len(before) > 1)} done here",
        )
    else:
        names = {str(point[RECIPE]).partition("(")[0] for point in points}
        spent = [
            r.training_seconds + r.seconds.get("index", 0.0)
            for r in records
            if any(str(t["recipe"]).partition("(")[0] in names for t in r.trainings)
        ]
        if spent:
            seconds, source = (
                statistics.median(spent),
                f"the median of {len(spent)} record{'s' * (len(spent) > 1)}, with nothing kept",
            )
    total = rows * spec.seeds
    return Planned(stage.label, rows, total, min(len(done), total), seconds, source)
