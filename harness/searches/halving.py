"""Successive halving: all points with little training data, the better share of them with more, and so on."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated

from annotated_types import Interval

from harness.searches import SIZES, Choice, Measure, Point, Search, Space, Stage, ascending, points


@dataclass(frozen=True)
class Halving(Search):
    """Goes up the values of one axis with the best share of the points.

    Source: Jamieson and Talwalkar, "Non-stochastic Best Arm Identification and Hyperparameter Optimization" (AISTATS
    2016), algorithm 1. The budget is the number of training queries, or another axis that costs, as `epochs`. A point
    that is only good with much data is dropped early.

    Args:
        keep: share of the points that goes on from each value to the next, rounded up.
        by: the axis; its values from small to large are the rungs.
    """

    keep: Annotated[float, Interval(gt=0, lt=1)] = 1 / 3
    by: str = SIZES

    def _start(self, space: Space, first: Choice) -> list[Point]:
        """Every point once, at the first rung."""
        return list(dict.fromkeys(point.at(self.by, first) for point in points(space, "halving")))

    def _survivors(self, count: int) -> int:
        return max(1, math.ceil(self.keep * count - 1e-9))

    def stages(self, space: Space) -> list[Stage]:
        """See `Search.stages`."""
        rungs = ascending(space, self.by, "halving")
        alive = self._start(space, rungs[0])
        count, stages = len(alive), []
        for rung in rungs:
            value = "all" if rung is None else rung
            among = tuple(point.at(self.by, rung) for point in alive)
            stages.append(Stage(f"{self.by} = {value}", count, among))
            count = self._survivors(count)
        return stages

    def run(self, space: Space, measure: Measure, seed: int) -> None:
        """See `Search.run`."""
        rungs = ascending(space, self.by, "halving")
        alive = self._start(space, rungs[0])
        for rung in rungs:
            alive = [point.at(self.by, rung) for point in alive]
            scored = [(value, point) for value, point in zip(measure(alive), alive, strict=True) if value is not None]
            order = sorted(range(len(scored)), key=lambda i: (-scored[i][0], i))
            alive = [scored[i][1] for i in order[: self._survivors(len(alive))]]
            if not alive:
                return
