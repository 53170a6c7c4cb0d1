"""Tries: has rows measured on dev wherever the executor works, each row and seed once, and keeps what they gave."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import numpy as np

from harness.base.errors import HarnessError, Unavailable
from harness.bench.dev_scores import dev_of
from harness.bench.identity import identity
from harness.bench.leak_guard import Guard
from harness.bench.provenance import code_hash
from harness.bench.runner import DEFAULT_DEPTH
from harness.data.dataset import Dataset
from harness.datasets import load_dataset
from harness.executors import Executor, Job
from harness.methods import Method
from harness.recipes import trains
from harness.rows import row_name
from harness.runtime.context import Context
from harness.searches import SIZES, Point
from harness.statistics.bootstrap import Interval
from harness.statistics.curves import interval_of
from harness.statistics.paired import Values
from harness.sweep.cells import Cells
from harness.sweep.spec import Spec
from harness.training.gold import gold


@dataclass(frozen=True)
class Done:
    """A cell that is done, for whoever watches.

    Args:
        row: name of the row.
        seed: which.
        mean: on dev; None where it gave none.
        problem: why it gave none.
        skipped: whether something was absent, rather than wrong.
        kept: whether it was there before.
        seconds: that it took.
        number: how many of those asked for are done.
        total: how many were asked for.
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
class Tried:
    """A row that was tried on dev.

    Args:
        method: the row.
        row: its name.
        config: its name without the number of training queries: rows of one name lie on one learning curve.
        size: how many training queries it learnt from; None where their number is no matter.
        group: which row and recipe, for telling curves apart.
        cells: outcomes by seed; as many as have figures.
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
        """Whether every seed has figures."""
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
        """Of the mean: over queries, and seeds where there are several."""
        return interval_of(self.values)

    def against(self, other: Tried) -> tuple[float, Interval]:
        """Mean difference from another row on the same queries, and its interval."""
        return self.mean - other.mean, interval_of(self.values, other.values)

    @property
    def seconds(self) -> float:
        """What a seed took, wherever it ran; the mean."""
        return float(np.mean([cell["seconds"] for cell in self.cells])) if self.cells else 0.0


class Tries:
    """Measures rows of one collection on dev.

    Args:
        spec: the sweep.
        name: of the collection, as asked for.
        executor: where cells run.
        context: first seed, cache, device.
        cells: where outcomes are kept.
        tell: called after each cell.

    Raises:
        Unavailable: the collection has no dev queries, or cannot be had.
    """

    def __init__(
        self,
        spec: Spec,
        name: str,
        executor: Executor,
        context: Context,
        cells: Cells,
        tell: Callable[[Done], None] | None = None,
    ) -> None:
        self._spec, self._name, self._executor, self._context = spec, name, executor, context
        self.cells, self._tell = cells, tell
        self.dataset: Dataset = load_dataset(name, context)
        dev_of(self.dataset)
        self.warned: set[tuple[str, str]] = set()
        self._held: dict[Method, _Gave] = {}
        self._contexts: dict[int, Context] = {}
        self._points: dict[Method, tuple[Tried, Point]] = {}

    @cached_property
    def available(self) -> int:
        """Training queries that have a relevant document; 0 where there are none."""
        return len(gold(self.dataset.train, self._context)) if self.dataset.train.train is not None else 0

    @property
    def tried(self) -> list[Tried]:
        """Every point that was measured, in the order asked."""
        return [one for one, _ in self._points.values()]

    def asked(self, one: Tried) -> list[Point]:
        """The point that a row is; none where it is a baseline."""
        return [point for other, point in self._points.values() if other.method == one.method]

    def canonical(self, point: Point) -> Point:
        """As many training queries as there are is the same as all."""
        size = point.get(SIZES)
        return point.at(SIZES, None) if isinstance(size, int) and size >= self.available else point

    def measure(self, points: Sequence[Point]) -> list[float | None]:
        """See `harness.searches.Measure`."""
        found = self.points(points)
        return [one.mean if one.ok else None for one in found]

    def points(self, points: Sequence[Point]) -> list[Tried]:
        """What points gave; those that are one row are measured once."""
        found = self._run([self._described(self.canonical(point)) for point in points])
        for one, point in zip(found, points, strict=True):
            self._points.setdefault(one.method, (one, point))
        return found

    def rows(self, methods: Sequence[Method]) -> list[Tried]:
        """What rows gave that are no points of the space: baselines."""
        return self._run([Tried(m, row_name(m), row_name(m), None, row_name(m), ()) for m in methods])

    def jobs(self, method: Method) -> list[tuple[int, str]]:
        """Seed and key of each cell of a row.

        Raises:
            Unavailable: what the row points to is not to be had.
        """
        first = self._context.seed
        seeds = range(first, first + (self._spec.seeds if trains(method) else 1))
        return [(seed, self.key(method, seed, on="dev")) for seed in seeds]

    def key(self, method: Method, seed: int, **more: Any) -> str:
        """Hash of all that decides what a row gives with a seed.

        Raises:
            Unavailable: what the row points to is not to be had.
        """
        context = self._contexts.setdefault(
            seed, self._context.reseeded(seed)
        )  # each remembers the models that it found
        return identity(
            method,
            context,
            view=self.dataset.train.revision,
            depth=DEFAULT_DEPTH,
            measure=self._spec.measure,
            **more,
        )

    def _described(self, point: Point) -> Tried:
        method = self._spec.method(point)
        whole = self._spec.method(point.at(SIZES, None))
        size = None
        if SIZES in point:
            held = point[SIZES]
            size = held if isinstance(held, int) else self.available
        return Tried(method, row_name(method), row_name(whole), size, self._spec.group(point), ())

    def _run(self, asked: Sequence[Tried]) -> list[Tried]:
        new = {one.method: one for one in reversed(asked) if one.method not in self._held}
        gave = {method: _Gave() for method in reversed(new)}
        cells: dict[str, tuple[Tried, int]] = {}
        for method in gave:
            try:
                self._warn(method)
                cells |= {key: (new[method], seed) for seed, key in self.jobs(method)}
            except HarnessError as error:
                gave[method].problem, gave[method].skipped = str(error), isinstance(error, Unavailable)
                self._told(new[method], self._context.seed, gave[method], None, 0.0, (0, 0))
        missing, number = [], 0
        for key, (one, seed) in cells.items():
            held = self.cells.load(key)
            if held is None:
                missing.append(key)
                continue
            gave[one.method].cells[seed] = held
            number += 1
            self._told(one, seed, gave[one.method], held, 0.0, (number, len(cells)), kept=True)
        jobs = [self._job(key, *cells[key]) for key in missing]
        for outcome in self._executor.map(jobs, self._context) if jobs else ():
            number += 1
            one, seed = cells[outcome.job.id]
            told, value, cell = gave[one.method], outcome.value or {}, None
            if outcome.error is not None or "skipped" in value:
                told.problem, told.skipped = outcome.error or value["skipped"], outcome.error is None
            else:
                cell = self.cells.save(outcome.job.id, self._outcome(one, seed, value, outcome.seconds, outcome.where))
                told.cells[seed] = cell
            self._told(one, seed, told, cell, outcome.seconds, (number, len(cells)))
        self._held |= gave
        return [self._held[one.method].of(one) for one in asked]

    def _warn(self, method: Method) -> None:
        """Looks at a row as the runner's guard does, here once for all workers; a model that learnt test itself is
        refused.
        """
        Guard(self.dataset, self._context, self.warned).admit(method)

    def _job(self, key: str, one: Tried, seed: int) -> Job:
        given = {
            "dataset": self._name,
            "view": self.dataset.train.revision,
            "code": code_hash(),
            "method": one.method.full(),
            "seed": seed,
            "measure": self._spec.measure,
            "warned": sorted(self.warned),
        }
        return Job(
            key, "harness.sweep.worker:dev", given, label=f"{one.row}, seed {seed}, on dev of {self.dataset.name}"
        )

    def _outcome(self, one: Tried, seed: int, value: dict[str, Any], seconds: float, where: str) -> dict[str, Any]:
        return {
            "row": one.row,
            "method": one.method.full(),
            "group": one.group,
            "size": one.size,
            "seed": seed,
            "dataset": self.dataset.name,
            "measure": self._spec.measure,
            "seconds": round(seconds, 2),
            "where": where,
            "made": datetime.now(UTC).isoformat(timespec="seconds"),
            **value,
        }

    def _told(
        self,
        one: Tried,
        seed: int,
        gave: _Gave,
        cell: dict[str, Any] | None,
        seconds: float,
        place: tuple[int, int],
        *,
        kept: bool = False,
    ) -> None:
        if self._tell is not None:
            mean, why = (cell["mean"], None) if cell is not None else (None, gave.problem)
            self._tell(Done(one.row, seed, mean, why, gave.skipped, kept, seconds, *place))


@dataclass
class _Gave:
    """What a row gave: outcomes by seed, or why there are not all of them."""

    cells: dict[int, dict[str, Any]] = field(default_factory=dict)
    problem: str | None = None
    skipped: bool = False

    def of(self, one: Tried) -> Tried:
        """The row with its outcomes."""
        cells = tuple(self.cells[seed] for seed in sorted(self.cells))
        return replace(one, cells=cells, problem=self.problem, skipped=self.skipped)
