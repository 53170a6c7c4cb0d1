"""The rankings of a run, which measures, notes and the run's file each read once."""

from __future__ import annotations

from collections.abc import Iterable

from harness.data.measures import Ranking
from harness.data.ranking import Run

HELD = 500_000
"""Documents of a run up to which its rankings stay in memory, about 50 MB; making them takes longer than reading."""


def rankings_of(run: Run) -> Iterable[Ranking]:
    """The rankings of a run, to be read several times: a list for a small run, else the run itself, which looks the ids
    up each time.

    Args:
        run: of any size.
    """
    return list(run) if run.top.indices.size <= HELD else run
