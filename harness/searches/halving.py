"""Successive halving: all points with little to learn from, the better share of them with more, and so on."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated

from annotated_types import Interval

from harness.searches import SIZES, Choice, Measure, Point, Search, Space, Stage, ascending, points


@dataclass(frozen=True)
class Halving(Search):
    """Goes up the values of one axis and takes the best share of the points along.

    Source: Jamieson and Talwalkar, "Non-stochastic Best Arm Identification and Hyperparameter Optimization" (AISTATS
    2016), algorithm 1. What grows here is the number of training queries, or another axis that costs, as `epochs`. A
    point that is only good with much data is lost early.

    Args:
        keep: share of the points that goes on from each value to the next, rounded up.
        by: the axis; its values from small to large are the rungs.
    """

    keep: Annotated[float, Interval(gt=0, lt=1)] = 1 / 3
    by: str = SIZES

    def _begun(self, space: Space, first: Choice) -> list[Point]:
        """Every point once, at the first rung."""
        return list(dict.fromkeys(point.at(self.by, first) for point in points(space, "halving")))

    def _kept(self, count: int) -> int:
        return max(1, math.ceil(self.keep * count - 1e-9))

    def stages(self, space: Space) -> list[Stage]:
        """See `Search.stages`."""
        rungs = ascending(space, self.by, "halving")
        alive = self._begun(space, rungs[0])
        count, found = len(alive), []
        for rung in rungs:
            label = f"{self.by} = {'all' if rung is None else rung}"
            found.append(Stage(label, count, tuple(p.at(self.by, rung) for p in alive)))
            count = self._kept(count)
        return found

    def run(self, space: Space, measure: Measure, seed: int) -> None:
        """See `Search.run`."""
        rungs = ascending(space, self.by, "halving")
        alive = self._begun(space, rungs[0])
        for rung in rungs:
            alive = [point.at(self.by, rung) for point in alive]
            scored = [(value, point) for value, point in zip(measure(alive), alive, strict=True) if value is not None]
            order = sorted(range(len(scored)), key=lambda i: (-scored[i][0], i))
            alive = [scored[i][1] for i in order[: self._kept(len(alive))]]
            if not alive:
                return
