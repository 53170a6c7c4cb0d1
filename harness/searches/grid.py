"""Every point of every grid."""

from __future__ import annotations

from dataclasses import dataclass

from harness.searches import Measure, Search, Space, Stage, points


@dataclass(frozen=True)
class Grid(Search):
    """Measures every point."""

    def stages(self, space: Space) -> list[Stage]:
        """See `Search.stages`."""
        every = points(space, str(self))
        return [Stage("grid", len(every), tuple(every))]

    def run(self, space: Space, measure: Measure, seed: int) -> None:
        """See `Search.run`."""
        measure(points(space, str(self)))
