"""The runner: does a row's planned steps and stores a record of it, also if it fails."""

from __future__ import annotations

import dataclasses
import traceback
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from harness.base.defaults import DEPTH
from harness.base.doing import doing
from harness.base.errors import Unavailable, error_message, remedy_of
from harness.base.redaction import check_name
from harness.bench.caveats import caveats
from harness.bench.hosted_cost import hosted_costs
from harness.bench.identity import code_of_row, identity
from harness.bench.latency import Timing, in_turn, timing
from harness.bench.leak_guard import Guard
from harness.bench.plan import Plan, plan
from harness.bench.provenance import provenance
from harness.bench.rankings import rankings_of
from harness.bench.record import Record
from harness.bench.row_record import blank_record, leaks_of, with_fit, with_view
from harness.bench.step_times import phase, row_seconds, step_notes, throughput
from harness.bench.store import Place, Store
from harness.bench.unjudged import unjudged
from harness.data.dataset import Dataset
from harness.data.measures import PerQuery, means, parse_measures, per_query
from harness.data.ranking import Run
from harness.datasets import load_dataset
from harness.methods import Method, fit, index, search
from harness.rows import row_name
from harness.runtime.context import Context

DEFAULT_DEPTH = DEPTH


@dataclass(frozen=True)
class Result:
    """A row's record, and whether it was already there.

    Args:
        record: what is in the store now.
        kept: True if a record of the same identity was there and nothing was done.
    """

    record: Record
    kept: bool


class Bench:
    """Runs rows over datasets, each shared step once.

    Args:
        methods: the rows, in the order of the work.
        datasets: names of the collections.
        context: seed, device, cache, progress.
        store: where records go.
        measures: in ir-measures' notation.
        depth: of the reported runs.
        rerun: run a row again even if its record is up to date.
        warned: what of test was warned of already, by dataset.

    Raises:
        SettingError: a measure that cannot be read or computed, or a depth that cannot be.
        RecordError: the results folder cannot be written.
    """

    def __init__(
        self,
        methods: Sequence[Method],
        datasets: Sequence[str],
        context: Context,
        store: Store,
        measures: Sequence[str],
        depth: int = DEFAULT_DEPTH,
        *,
        rerun: bool = False,
        warned: Iterable[tuple[str, str]] = (),
    ) -> None:
        self.measures = parse_measures(measures)
        self.methods, self.datasets = list(methods), list(datasets)
        for method in self.methods:
            check_name(row_name(method), "row")
        self.plan: Plan = plan(methods, datasets, depth)
        self.depth, self.rerun = depth, rerun
        self.context, self.store = context, store
        self._warned = set(warned)
        self._timed: dict[Place, Timing] = {}
        self._turned: str | None = None
        self.renewed: dict[tuple[str, str], dict[str, Any] | None] = {}
        store.check()

    def load(self, name: str) -> Dataset:
        """The dataset; what is in memory of another one is dropped first.

        Raises:
            HarnessError: it cannot be loaded or used.
        """
        if self._turned not in (None, name):
            self.settle()
        self._turned = name
        self.context.ledger.turn_to(name)
        doing(f"load {name}")
        dataset = load_dataset(name, self.context)
        self.context = self.context.searching(dataset.test.search_depth(self.plan.depth(name)))
        return dataset

    def run(self, name: str, method: Method) -> Result:
        """Runs one row on one dataset and stores its record.

        Raises:
            HarnessError: the dataset cannot be loaded or used. What the row itself raises goes into its record.
        """
        dataset = self.load(name)
        place = self.store.place(dataset.name, method, self.context.seed)
        before = self.store.load(place)
        blank = dataclasses.replace(self.blank(dataset, method), alias=before.alias if before else "")
        try:
            current = self.identity(dataset, method)
            if before is not None and self.up_to_date(place, before, current):
                return Result(before, kept=True)
            begun = with_view(blank, dataset, current, self.context)
            record, values = self._measure(name, dataset, method, begun, place)
        except Unavailable as error:
            problem = {"reason": error.reason, "remedy": error.remedy}
            record, values = dataclasses.replace(blank, status="skipped", problem=problem), None
            if before is not None and before.status == "ok":
                return Result(record, kept=True)  # scores made when nothing was absent stay valid
        except Exception as error:  # noqa: BLE001 - one row must not take the others down; its record has the error
            problem = {"reason": error_message(error), "remedy": remedy_of(error), "trace": traceback.format_exc()}
            record, values = dataclasses.replace(blank, status="error", problem=problem), None
        record = record.without_keys()
        if before is not None and record.status != "ok" and _same(before, record):
            return Result(before, kept=False)  # written with a later date, it would make the board be written again
        self.store.save(place, record, values)
        return Result(record, kept=False)

    def settle(self) -> None:
        """Times the rows that were run on the current dataset again, in turn, and stores their latency again.

        The latencies that it changes are in `renewed`, by dataset and row.
        """
        timed, self._timed = self._timed, {}
        in_turn(timed, self.context.progress)
        for place, one in timed.items():
            before = self.store.load(place)
            if before is not None and before.status == "ok" and (latency := one.latency()) != before.latency:
                self.store.amend(place, dataclasses.replace(before, latency=latency))
                self.renewed[before.dataset["name"], before.row] = latency

    def kept(self, name: str, method: Method) -> Record | None:
        """The record of a row that is up to date; None if `run` would run the row.

        Raises:
            HarnessError: the dataset, or something that the row points to, does not exist.
        """
        dataset = self.load(name)
        place = self.store.place(dataset.name, method, self.context.seed)
        before = self.store.load(place)
        current = before is not None and self.up_to_date(place, before, self.identity(dataset, method))
        return before if current else None

    def blank(self, dataset: Dataset, method: Method) -> Record:
        """A record without scores."""
        return blank_record(dataset, method, self.context, self.depth)

    def up_to_date(self, place: Place, before: Record, identity: str) -> bool:
        """Whether a record is of the same identity and complete, and is not to be made again."""
        return not self.rerun and before.identity == identity and self.store.whole(place, before)

    def identity(self, dataset: Dataset, method: Method) -> str:
        """Hash of all that decides a row's scores.

        Raises:
            HarnessError: something that the row points to does not exist.
        """
        return identity(
            method,
            self.context,
            map(str, self.measures),
            dataset=dataset.revision,
            train=dataset.train.revision,
            depth=self.depth,
        )

    def _shallow(self, method: Method) -> list[str]:
        """A note if a measure looks deeper than the row's rankings are long."""
        reach = method.reach(self.depth)
        deep = [str(m) for m in self.measures if m.params.get("cutoff", 0) > reach]
        return [f"{', '.join(deep)}: the run is only {reach} deep"] if deep else []

    def _measure(
        self, name: str, dataset: Dataset, method: Method, blank: Record, place: Place
    ) -> tuple[Record, PerQuery]:
        """Does the planned steps of a row and writes its run; its record, and values by measure and query."""
        queries, row = dataset.test.queries, row_name(method)
        guard = Guard(dataset, self.context, self._warned)
        guard.admit(method)
        context = self.context.guarded(guard)
        costs = hosted_costs(method, dataset, context)
        with context.ledger.tracked(row) as done:
            for step in self.plan.of(name, row):
                if step.method is None or step.kind == "measure":
                    continue
                doing(f"{step.kind} {row_name(step.method)} on {dataset.name}")
                fitted = fit(step.method, dataset.train, context)
                if step.kind in ("index", "search"):
                    searcher = index(step.method, fitted, dataset.corpus, context)
                if step.kind == "search":
                    top = search(step.method, searcher, queries, dataset.test.search_depth(step.depth), context)
            # The row's own fit, index and search are the last steps of its plan, so these are its own.
            run = Run.of_split(dataset.test, top, dataset.corpus, self.depth)
        rankings = rankings_of(run)
        values = per_query(self.measures, dataset.test.qrels, rankings)
        # The searcher's notes are about these searches, so they are read before single queries are timed.
        notes = [*searcher.notes(queries), *self._shallow(method), *step_notes(done)]
        record = with_fit(blank, fitted, searcher.report(queries), costs, notes)
        timed = timing(searcher, queries)
        timed.round()
        sha = self.store.write_run(place, rankings, row)
        leaks, leak_notes = leaks_of(fitted, dataset, values, context)
        run_notes = caveats(self.measures, dataset.test.qrels, rankings)
        shares = unjudged(self.measures, dataset.test.qrels, rankings)
        self._timed[place] = timed
        seconds = row_seconds(done)
        record = dataclasses.replace(
            record,
            leaks=leaks,
            unjudged=shares,
            measures={measure: round(mean, 6) for measure, mean in means(values).items()},
            phases=[phase(step) for step in done.all()[:-1]],
            seconds=seconds,
            throughput=throughput(seconds, dataset),
            latency=timed.latency(),
            notes=[*record.notes, *run_notes, *leak_notes],
            run_sha256=sha,
            # again: by now the device is known
            provenance=provenance(context.device, code_of_row(method, map(str, self.measures))),
        )
        return record, values


def _same(before: Record, record: Record) -> bool:
    """Whether two records differ in nothing but their dates."""
    return before.to_json() == dataclasses.replace(record, started=before.started).to_json()
