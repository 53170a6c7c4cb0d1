"""Measures rows on dev by an executor, each row and seed once, and stores the outcomes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from harness.base.errors import HarnessError, Unavailable
from harness.bench.dev_scores import dev_of
from harness.bench.identity import identity
from harness.bench.leak_guard import Guard
from harness.bench.row_job import RowRequest
from harness.bench.runner import DEFAULT_DEPTH
from harness.bench.worker import DEV
from harness.cache.folders import Cache
from harness.data.dataset import Dataset
from harness.datasets import load_dataset
from harness.executors import Executor, Job, Outcome
from harness.methods import Method
from harness.recipes import trains
from harness.rows import row_name
from harness.runtime.context import Context
from harness.searches import SIZES, Point
from harness.sweep.cells import Cells
from harness.sweep.spec import Spec
from harness.sweep.trial import CellResult, Trial, TrialOutcome
from harness.training.gold import gold


class Trials:
    """Measures rows of one collection on dev.

    Args:
        spec: the sweep.
        name: of the collection, as requested.
        executor: where cells run.
        context: first seed, cache, device.
        cells: where outcomes are stored.
        tell: called after each cell.

    Raises:
        Unavailable: the collection has no dev queries, or cannot be loaded.
    """

    def __init__(
        self,
        spec: Spec,
        name: str,
        executor: Executor,
        context: Context,
        cells: Cells,
        tell: Callable[[CellResult], None] | None = None,
    ) -> None:
        self._spec, self._name, self._executor, self._context = spec, name, executor, context
        self.cells, self._tell = cells, tell
        self.dataset: Dataset = load_dataset(name, context)
        dev_of(self.dataset)
        self.warned: set[tuple[str, str]] = set()
        self._outcomes: dict[Method, TrialOutcome] = {}
        self._contexts: dict[int, Context] = {}
        self._points: dict[Method, tuple[Trial, Point]] = {}

    @property
    def cache(self) -> Cache:
        """Of the run."""
        return self._context.cache

    @cached_property
    def available(self) -> int:
        """Training queries that have a relevant document; 0 if there are none."""
        return len(gold(self.dataset.train, self._context)) if self.dataset.train.train is not None else 0

    @property
    def tried(self) -> list[Trial]:
        """Every point that was measured, in the order requested."""
        return [trial for trial, _ in self._points.values()]

    def points_of(self, trial: Trial) -> list[Point]:
        """The point that a row is; none for a baseline."""
        return [point for other, point in self._points.values() if other.method == trial.method]

    def canonical(self, point: Point) -> Point:
        """As many training queries as there are is the same as all."""
        size = point.get(SIZES)
        return point.at(SIZES, None) if isinstance(size, int) and size >= self.available else point

    def measure(self, points: Sequence[Point]) -> list[float | None]:
        """See `harness.searches.Measure`."""
        return [trial.mean if trial.ok else None for trial in self.points(points)]

    def points(self, points: Sequence[Point]) -> list[Trial]:
        """The trials of points; points that are the same row are measured once."""
        trials = self._run([self._described(self.canonical(point)) for point in points])
        for trial, point in zip(trials, points, strict=True):
            self._points.setdefault(trial.method, (trial, point))
        return trials

    def rows(self, methods: Sequence[Method]) -> list[Trial]:
        """The trials of rows that are no points of the space: baselines."""
        return self._run([Trial(m, row_name(m), row_name(m), None, row_name(m), ()) for m in methods])

    def jobs(self, method: Method) -> list[tuple[int, str]]:
        """Seed and key of each cell of a row.

        Raises:
            Unavailable: something that the row points to does not exist.
        """
        first = self._context.seed
        seeds = range(first, first + (self._spec.seeds if trains(method) else 1))
        return [(seed, self.key(method, seed, [self._spec.measure], on="dev")) for seed in seeds]

    def key(self, method: Method, seed: int, measures: Sequence[str], **more: Any) -> str:
        """Hash of all that decides the scores of a row with a seed by some measures.

        Raises:
            Unavailable: something that the row points to does not exist.
        """
        view = self.dataset.train.revision
        return identity(method, self._seeded(seed), measures, view=view, depth=DEFAULT_DEPTH, **more)

    def request(self, method: Method, seed: int, measures: Sequence[str]) -> RowRequest:
        """What a worker gets of a row with a seed."""
        context = self._seeded(seed)
        return RowRequest.of(self._name, self.dataset, method, context, measures, DEFAULT_DEPTH, warned=self.warned)

    def _seeded(self, seed: int) -> Context:
        """One context for each seed: it remembers the hashes of models."""
        if seed not in self._contexts:
            self._contexts[seed] = self._context.reseeded(seed)
        return self._contexts[seed]

    def _described(self, point: Point) -> Trial:
        method = self._spec.method(point)
        whole = self._spec.method(point.at(SIZES, None))
        size = None
        if SIZES in point:
            queries = point[SIZES]
            size = queries if isinstance(queries, int) else self.available
        return Trial(method, row_name(method), row_name(whole), size, self._spec.group(point), ())

    def _run(self, trials: Sequence[Trial]) -> list[Trial]:
        """The trials with their outcomes; those that were not measured before are measured now."""
        new = {trial.method: trial for trial in reversed(trials) if trial.method not in self._outcomes}
        new = dict(reversed(new.items()))
        outcomes = {method: TrialOutcome() for method in new}
        cells: dict[str, tuple[Trial, int]] = {}
        for method, outcome in outcomes.items():
            try:
                Guard(self.dataset, self._context, self.warned).admit(method)  # once for all workers
                cells |= {key: (new[method], seed) for seed, key in self.jobs(method)}
            except HarnessError as error:
                outcome.problem, outcome.skipped = str(error), isinstance(error, Unavailable)
                self._report(new[method], self._context.seed, outcome, None, 0.0, (0, 0))
        self._measure(cells, outcomes)
        self._outcomes |= outcomes
        return [self._outcomes[trial.method].of(trial) for trial in trials]

    def _measure(self, cells: dict[str, tuple[Trial, int]], outcomes: dict[Method, TrialOutcome]) -> None:
        """Takes cells from where they are stored, and has the executor do the others."""
        jobs, number = [], 0
        for key, (trial, seed) in cells.items():
            cell = self.cells.load(key)
            if cell is None:
                jobs.append(self._job(key, trial, seed))
                continue
            outcomes[trial.method].cells[seed] = cell
            number += 1
            self._report(trial, seed, outcomes[trial.method], cell, 0.0, (number, len(cells)), kept=True)
        for done in self._executor.map(jobs, self._context) if jobs else ():
            number += 1
            trial, seed = cells[done.job.id]
            outcome = outcomes[trial.method]
            cell = self._stored(trial, seed, done, outcome)
            self._report(trial, seed, outcome, cell, done.seconds, (number, len(cells)))

    def _job(self, key: str, trial: Trial, seed: int) -> Job:
        request = self.request(trial.method, seed, [self._spec.measure])
        return Job(key, DEV, request.to_json(), label=f"{trial.row}, seed {seed}, on dev of {self.dataset.name}")

    def _stored(self, trial: Trial, seed: int, done: Outcome, outcome: TrialOutcome) -> dict[str, Any] | None:
        """The cell of a job, stored; None if it failed, with the reason in the outcome."""
        value = done.value or {}
        if done.error is not None or "skipped" in value:
            outcome.problem, outcome.skipped = done.error or value["skipped"], done.error is None
            return None
        cell = {
            "row": trial.row,
            "method": trial.method.full(),
            "group": trial.group,
            "size": trial.size,
            "seed": seed,
            "dataset": self.dataset.name,
            "measure": self._spec.measure,
            "seconds": round(done.seconds, 2),
            "where": done.where,
            "made": datetime.now(UTC).isoformat(timespec="seconds"),
            **value,
        }
        outcome.cells[seed] = self.cells.save(done.job.id, cell)
        return outcome.cells[seed]

    def _report(
        self,
        trial: Trial,
        seed: int,
        outcome: TrialOutcome,
        cell: dict[str, Any] | None,
        seconds: float,
        progress: tuple[int, int],
        *,
        kept: bool = False,
    ) -> None:
        if self._tell is None:
            return
        mean, problem = (None, outcome.problem) if cell is None else (cell["mean"], None)
        self._tell(CellResult(trial.row, seed, mean, problem, outcome.skipped, kept, seconds, *progress))
