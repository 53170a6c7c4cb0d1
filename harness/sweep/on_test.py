"""The rows of a sweep on test: the one that dev chose, its settings with fewer training queries, and the baselines."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from harness.base.errors import HarnessError, NoScores, RecordError
from harness.base.files import write_text
from harness.base.json_files import read_json
from harness.bench.row_job import RowResult
from harness.bench.row_names import RowNames
from harness.bench.runner import Bench, Result
from harness.bench.store import Store, StoredRecord
from harness.bench.worker import ROW
from harness.compare.evidence import Scores, scores
from harness.compare.validate import verdicts
from harness.data.measures import DEFAULT
from harness.executors import Executor, Job, Outcome
from harness.methods import Method
from harness.recipes import trains
from harness.rows import row_name
from harness.runtime.context import Context
from harness.sweep.result import Curve, OnTest, SweepResult, curve, gains
from harness.sweep.spec import Spec
from harness.sweep.trial import Trial
from harness.sweep.trials import Trials

REPORTED: Final = "reported.json"
"""File that lists the rows of a sweep that were reported on test."""
Show = Callable[[Result], None] | None


@dataclass(frozen=True)
class RowsOnTest:
    """Reports rows of a sweep on the test split of one collection.

    Args:
        spec: the sweep.
        name: of the collection, as requested.
        trials: its rows on dev.
        executor: where rows run.
        results: folder of the records.
        context: cache, device and first seed.
        show: called after each row.
    """

    spec: Spec
    name: str
    trials: Trials
    executor: Executor
    results: Path
    context: Context
    show: Show = None

    def report(self, result: SweepResult, chosen: Trial, folder: Path) -> OnTest:
        """The chosen row, its learning curve and the baselines on test.

        Args:
            result: on dev.
            chosen: by dev.
            folder: of the sweep; it lists the rows that were reported.

        Raises:
            NoScores: the chosen row has no scores on test.
            RecordError: the list of the reported rows cannot be read.
        """
        baselines = self.spec.baselines
        along: dict[int | None, Trial] = {
            t.size: t for t in result.whole if t.size is not None and t.config == chosen.config
        }
        if len(along) < 2:
            along = {}
        rows = [trial.method for _, trial in sorted(along.items(), key=lambda item: item[0] or 0)]
        reported = note_reported(folder, chosen)
        every = self.scores(list(dict.fromkeys([chosen.method, *rows, *baselines])), result.names)
        own = every[chosen.method]
        if isinstance(own, str):
            raise NoScores(f"{chosen.row}, which dev chose, has no scores on test: {own}")
        scored = {method: found for method, found in every.items() if not isinstance(found, str)}
        others = {method: scored[method] for method in baselines if method in scored and method != chosen.method}
        first = next((trial for trial in result.baselines if trial.ok and trial.method in others), None)
        return OnTest(
            own,
            _learning_curve(chosen, along, scored, others),
            tuple(verdicts([(own, other) for other in others.values()])),
            None if first is None else gains(chosen, first, own, others[first.method]),
            reported,
        )

    def scores(self, methods: Sequence[Method], names: RowNames) -> dict[Method, Scores | str]:
        """Each row's scores over its seeds, or why there are none. Rows whose record is up to date are not run."""
        store = Store(self.results)
        measures = list(dict.fromkeys((*DEFAULT, self.spec.measure)))
        records: dict[Method, dict[int, StoredRecord]] = {method: {} for method in methods}
        problems: dict[Method, str] = {}
        jobs: dict[str, tuple[Method, int]] = {}
        due = []
        for seed in range(self.context.seed, self.context.seed + self.spec.seeds):
            first = seed == self.context.seed
            bench = Bench(methods, [self.name], self.context if first else self.context.reseeded(seed), store, measures)
            for method in methods:
                if not first and not trains(method):
                    continue
                try:
                    record = bench.kept(self.name, method)
                    if record is None:
                        due.append(self._job(method, seed, measures))
                        jobs[due[-1].id] = method, seed
                        continue
                except HarnessError as error:
                    problems[method] = str(error)
                    continue
                records[method][seed] = StoredRecord(record, store.place(self.trials.dataset.name, method, seed))
                if self.show is not None:
                    self.show(Result(record, kept=True))
        for outcome in self.executor.map(due, self.context) if due else ():
            method, seed = jobs[outcome.job.id]
            found = self._stored(outcome, method, seed, store)
            if isinstance(found, str):
                problems[method] = found
            else:
                records[method][seed] = found
        by_method: dict[Method, Scores | str] = {}
        for method, seeds in records.items():
            stored = [seeds[seed] for seed in sorted(seeds)]
            by_method[method] = problems.get(method) or scores(
                stored, store, self.spec.measure, names(row_name(method))
            )
        return by_method

    def _stored(self, outcome: Outcome, method: Method, seed: int, store: Store) -> StoredRecord | str:
        """The record that a worker returned, stored; or why there is none."""
        if outcome.error is not None:
            return outcome.error
        result = RowResult.of(outcome)
        if result.problem is not None:
            return result.problem
        place = store.place(self.trials.dataset.name, method, seed)
        before = store.load(place)
        record = replace(result.record, alias=before.alias if before else "")
        store.unpack(place, result.files, record)
        if self.show is not None:
            self.show(Result(record, kept=False))
        return StoredRecord(record, place)

    def _job(self, method: Method, seed: int, measures: Sequence[str]) -> Job:
        dataset = self.trials.dataset
        key = self.trials.key(method, seed, measures, on="test", dataset=dataset.revision)
        request = self.trials.request(method, seed, measures)
        return Job(key, ROW, request.to_json(), label=f"{row_name(method)}, seed {seed}, on {dataset.name}")


def _learning_curve(
    chosen: Trial, along: dict[int | None, Trial], scored: dict[Method, Scores], baselines: dict[Method, Scores]
) -> Curve | None:
    """The chosen settings by number of training queries; None with fewer than two points."""
    sizes = {size: scored[t.method].values for size, t in along.items() if size is not None and t.method in scored}
    if len(sizes) < 2:
        return None
    return curve(chosen.config, chosen.group, sizes, {row_name(m): s.values for m, s in baselines.items()})


def note_reported(folder: Path, chosen: Trial) -> tuple[str, ...]:
    """Notes that a chosen row is about to be reported on test; returns all rows that this sweep has reported.

    Raises:
        RecordError: the list cannot be read.
    """
    place = folder / REPORTED
    try:
        entries = read_json(place, dict[str, dict[str, str]])
        rows = {method: entry["row"] for method, entry in entries.items()}
    except FileNotFoundError:
        entries, rows = {}, {}
    except (OSError, ValueError, KeyError) as error:
        raise RecordError(
            f"{place} cannot be read ({error}); it lists which rows were reported on test. Repair or remove it."
        ) from error
    method = chosen.method.full()
    if method not in rows:
        rows[method] = chosen.row
        entries[method] = {"row": chosen.row, "when": datetime.now(UTC).isoformat(timespec="seconds")}
        write_text(place, json.dumps(entries, indent=1, ensure_ascii=False) + "\n")
    return tuple(rows.values())
