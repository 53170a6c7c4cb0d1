"""The result of a sweep: the row that dev chose, learning curves, break-even points, and the chosen row on test."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from harness.bench.row_names import RowNames
from harness.compare.evidence import Scores
from harness.compare.verdict import Verdict
from harness.statistics.bootstrap import Interval
from harness.statistics.curves import BreakEven, break_even, interval_of
from harness.statistics.optimism import Optimism, optimism, winners_curse
from harness.statistics.paired import Values
from harness.sweep.trial import Trial


@dataclass(frozen=True)
class CurvePoint:
    """One point on a learning curve.

    Args:
        size: training queries.
        mean: of the measure.
        interval: over queries, and seeds if there are several.
        values: (n, k) a query a line, a seed a column.
    """

    size: int
    mean: float
    interval: Interval
    values: Values


@dataclass(frozen=True)
class Curve:
    """A row by the number of its training queries.

    Args:
        config: the row without that number.
        group: row and recipe.
        spots: from few to many.
        breaks: baseline → where the curve exceeds it.
    """

    config: str
    group: str
    spots: tuple[CurvePoint, ...]
    breaks: Mapping[str, BreakEven] = field(default_factory=dict)

    @property
    def best(self) -> float:
        """The highest mean on it."""
        return max(spot.mean for spot in self.spots)


@dataclass(frozen=True)
class OnTest:
    """The chosen row on test.

    Args:
        scores: of the chosen row.
        curve: the chosen settings by number of training queries; None if there is only one.
        verdicts: the chosen row against each baseline.
        optimism: its gain over the first baseline on dev and on test; None if the baseline is the row itself.
        looked: rows that this sweep has reported on test so far, this one included.
    """

    scores: Scores
    curve: Curve | None
    verdicts: tuple[Verdict, ...]
    optimism: Optimism | None
    looked: tuple[str, ...]


@dataclass(frozen=True)
class SweepResult:
    """A sweep over one collection.

    Args:
        name: of the sweep.
        dataset: full name, with the split that is reported.
        measure: by which the row was chosen.
        search: that proposed the rows.
        tried: every row measured on dev, best first, those without scores last.
        baselines: measured on dev too.
        tested: the chosen row on test; None if none was chosen, or it has no scores there.
        problem: why it is None.
        aliases: row → the name that its user gave it.
    """

    name: str
    dataset: str
    measure: str
    search: str
    tried: tuple[Trial, ...]
    baselines: tuple[Trial, ...]
    tested: OnTest | None = None
    problem: str | None = None
    aliases: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def names(self) -> RowNames:
        """What its rows are called, those without a number of training queries too."""
        rows = [name for one in (*self.tried, *self.baselines) for name in (one.row, one.config)]
        return RowNames.of_rows(rows, self.aliases)

    @property
    def chosen(self) -> Trial | None:
        """The row with the best mean on dev; None if no row has scores for every seed."""
        return choose(self.tried)

    @property
    def whole(self) -> tuple[Trial, ...]:
        """Rows with scores for every seed, best first."""
        return tuple(one for one in self.tried if one.ok)

    @cached_property
    def curse(self) -> float:
        """How much of the chosen row's score on dev is due to its having been chosen there."""
        return winners_curse(np.stack([one.values.mean(1) for one in self.whole], axis=1))

    @cached_property
    def curves(self) -> tuple[Curve, ...]:
        """Learning curves on dev of every row that was tried with several numbers of training queries; best first."""
        by_config: dict[str, list[Trial]] = {}
        for one in self.whole:
            if one.size is not None:
                by_config.setdefault(one.config, []).append(one)
        found = [
            curve(config, rows[0].group, {row.size or 0: row.values for row in rows}, self._passed)
            for config, rows in by_config.items()
            if len({row.size for row in rows}) > 1
        ]
        return tuple(sorted(found, key=lambda one: -one.best))

    @cached_property
    def best_curves(self) -> tuple[Curve, ...]:
        """The highest curve of each row and recipe."""
        highest = {one.group: one for one in reversed(self.curves)}
        return tuple(one for one in self.curves if highest[one.group] is one)

    @property
    def _passed(self) -> dict[str, Values]:
        return {one.row: one.values for one in self.baselines if one.ok}


def choose(tried: Sequence[Trial]) -> Trial | None:
    """The best mean on dev; of equals the one with fewer training queries, then the one tried first."""
    whole = [one for one in tried if one.ok]
    return min(whole, key=lambda one: (-one.mean, one.size if one.size is not None else math.inf), default=None)


def curve(config: str, group: str, values: Mapping[int, Values], baselines: Mapping[str, Values]) -> Curve:
    """A learning curve with its intervals, and where it exceeds each baseline.

    Args:
        config: the row without the number of training queries.
        group: row and recipe.
        values: training queries → (n, k) values.
        baselines: row → (n, l) values on the same queries.
    """
    sizes = sorted(values)
    spots = tuple(
        CurvePoint(size, float(values[size].mean()), interval_of(values[size]), values[size]) for size in sizes
    )
    breaks = {row: break_even(sizes, [values[size] for size in sizes], theirs) for row, theirs in baselines.items()}
    return Curve(config, group, spots, breaks)


def gains(chosen: Trial, baseline: Trial, on_test: Scores, baseline_on_test: Scores) -> Optimism:
    """The chosen row's gain over a baseline on dev, where it was chosen, compared with its gain on test."""
    there = baseline_on_test.by_query
    chose = chosen.values.mean(1) - baseline.values.mean(1)
    others = np.array([value - there[query] for query, value in on_test.by_query.items()], np.float64)
    return optimism(chose, others)
