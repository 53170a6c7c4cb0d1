"""A row that a sweep tries on dev, with its outcome for each seed."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from harness.methods import Method
from harness.statistics.bootstrap import Interval
from harness.statistics.curves import interval_of
from harness.statistics.paired import Values


@dataclass(frozen=True)
class CellResult:
    """A cell (a row with one seed) that is done, for display.

    Args:
        row: name of the row.
        seed: which.
        mean: on dev; None if there is none.
        problem: why there is none.
        skipped: whether something was absent, rather than wrong.
        kept: whether it was stored before.
        seconds: that it took.
        number: how many of the requested cells are done.
        total: how many were requested.
    """

    row: str
    seed: int
    mean: float | None
    problem: str | None
    skipped: bool
    kept: bool
    seconds: float
    number: int
    total: int


@dataclass(frozen=True)
class Trial:
    """A row that was tried on dev.

    Args:
        method: the row.
        row: its name.
        config: its name without the number of training queries: rows of one name lie on one learning curve.
        size: number of training queries; None if it does not matter.
        group: which row and recipe, to tell curves apart.
        cells: outcomes by seed, of the seeds with scores.
        problem: why a seed has none.
        skipped: whether something was absent, rather than wrong.
    """

    method: Method
    row: str
    config: str
    size: int | None
    group: str
    cells: tuple[dict[str, Any], ...]
    problem: str | None = None
    skipped: bool = False

    @property
    def ok(self) -> bool:
        """Whether every seed has scores."""
        return self.problem is None

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """(n,) dev query ids, sorted as text."""
        return tuple(sorted(self.cells[0]["values"]))

    @cached_property
    def values(self) -> Values:
        """(n, k) a query a line, a seed a column."""
        return np.array([[cell["values"][query] for cell in self.cells] for query in self.ids], np.float64)

    @property
    def mean(self) -> float:
        """Over queries and seeds."""
        return float(np.mean([cell["mean"] for cell in self.cells]))

    @cached_property
    def interval(self) -> Interval:
        """Of the mean: over queries, and seeds if there are several."""
        return interval_of(self.values)

    def against(self, other: Trial) -> tuple[float, Interval]:
        """Mean difference from another row on the same queries, and its interval."""
        return self.mean - other.mean, interval_of(self.values, other.values)

    @property
    def seconds(self) -> float:
        """The mean time of a seed, on whichever worker."""
        return float(np.mean([cell["seconds"] for cell in self.cells])) if self.cells else 0.0


@dataclass
class TrialOutcome:
    """What a row has given so far: outcomes by seed, or why some are missing."""

    cells: dict[int, dict[str, Any]] = field(default_factory=dict)
    problem: str | None = None
    skipped: bool = False

    def of(self, trial: Trial) -> Trial:
        """The row with its outcomes."""
        cells = tuple(self.cells[seed] for seed in sorted(self.cells))
        return replace(trial, cells=cells, problem=self.problem, skipped=self.skipped)
