"""The runner: does a row's planned steps and makes a record of it, whatever happens."""

from __future__ import annotations

import dataclasses
import traceback
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from harness.base.errors import HarnessError, SettingError, Unavailable
from harness.base.redaction import check_name
from harness.bench.caveats import caveats
from harness.bench.hosted_cost import Bill, bills
from harness.bench.identity import code_of_row, identity
from harness.bench.latency import Timing, in_turn, timing
from harness.bench.leak_effect import leak_notes, leaked
from harness.bench.leak_guard import Guard
from harness.bench.leak_history import taught_leaks, taught_notes
from harness.bench.plan import Plan, plan
from harness.bench.provenance import provenance
from harness.bench.record import Record
from harness.bench.step_times import phase, row_seconds, throughput
from harness.bench.store import Place, Store
from harness.bench.unjudged import unjudged
from harness.data.dataset import Dataset
from harness.data.measures import PerQuery, means, parse_measures, per_query
from harness.data.ranking import Run
from harness.datasets import load_dataset
from harness.methods import Fitted, Method, Searcher, fit, index, search
from harness.rows import row_name
from harness.runtime.context import Context
from harness.runtime.ledger import Step

DEFAULT_DEPTH = 1000


@dataclass(frozen=True)
class Result:
    """A row's record, and whether it was already there.

    Args:
        record: what is in the store now.
        kept: True where a record of the same identity was there and nothing was done.
    """

    record: Record
    kept: bool


class Bench:
    """Runs rows over datasets, each shared step once.

    Args:
        methods: the rows, in the order they are to be done.
        datasets: names of the collections.
        context: seed, device, cache, progress.
        store: where records go.
        measures: in ir-measures' notation.
        depth: of the reported runs.
        rerun: make a row's record again even if one of the same identity is there.
        warned: what of test was warned of already, by dataset.

    Raises:
        SettingError: a measure that cannot be read or computed, or a depth below 1.
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
        if depth < 1:
            raise SettingError(f"depth must be 1 or more, not {depth}")
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
        """The dataset; what is held of another one is dropped first.

        Raises:
            HarnessError: it cannot be had or used.
        """
        if self._turned not in (None, name):
            self.settle()
        self._turned = name
        self.context.ledger.turn_to(name)
        dataset = load_dataset(name, self.context)
        self.context = self.context.searching(dataset.test.search_depth(self.plan.depth(name)))
        return dataset

    def run(self, name: str, method: Method) -> Result:
        """Runs one row on one dataset and stores its record.

        Raises:
            HarnessError: the dataset cannot be had or used. What the row itself raises goes into its record.
        """
        dataset = self.load(name)
        place = self.store.place(dataset.name, method, self.context.seed)
        blank = self.blank(dataset, method)
        before = self.store.load(place)
        try:
            own = self.identity(dataset, method)
            if before is not None and self.stands(place, before, own):
                return Result(before, kept=True)
            record, values = self._measure(name, dataset, method, dataclasses.replace(blank, identity=own), place)
        except Unavailable as error:
            problem = {"reason": error.reason, "remedy": error.remedy}
            record, values = dataclasses.replace(blank, status="skipped", problem=problem), None
            if before is not None and before.status == "ok":
                return Result(record, kept=True)  # figures made when it could be had still stand
        except Exception as error:  # noqa: BLE001 - one row must not take the others down; the record and the test tell of it
            told = str(error) if isinstance(error, HarnessError) else f"{type(error).__name__}: {error}"
            problem = {"reason": told, "trace": traceback.format_exc()}
            record, values = dataclasses.replace(blank, status="error", problem=problem), None
        record = record.without_keys()
        self.store.save(place, record, values)
        return Result(record, kept=False)

    def settle(self) -> None:
        """Times the rows that were made on the dataset at hand once more, in turn, and stores what that says of their
        latency.

        The latencies that it changes are in `renewed`, by dataset and row.
        """
        timed, self._timed = self._timed, {}
        in_turn(timed, self.context.progress)
        for place, one in timed.items():
            before = self.store.load(place)
            if before is not None and before.status == "ok" and (found := one.found()) != before.latency:
                self.store.amend(place, dataclasses.replace(before, latency=found))
                self.renewed[before.dataset["name"], before.row] = found

    def kept(self, name: str, method: Method) -> Record | None:
        """The record of a row that need not be run again; None where `run` would run it.

        Raises:
            HarnessError: the dataset or what the row points to cannot be had.
        """
        dataset = self.load(name)
        place = self.store.place(dataset.name, method, self.context.seed)
        before = self.store.load(place)
        stands = before is not None and self.stands(place, before, self.identity(dataset, method))
        return before if stands else None

    def blank(self, dataset: Dataset, method: Method) -> Record:
        """A record without figures."""
        return Record(
            row=row_name(method),
            method=method.full(),
            dataset={
                "name": dataset.name,
                "revision": dataset.revision,
                "documents": len(dataset.corpus),
                "queries": len(dataset.test.queries),
                "judgements": sum(len(grades) for grades in dataset.test.qrels.values()),
                "unreachable": dataset.unreachable,
                "notes": list(dataset.notes),
                "licence": dataset.licence,
            },
            seed=self.context.seed,
            depth=self.depth,
            provenance=provenance(self.context.device, code_of_row(method)),
            started=datetime.now(UTC).isoformat(timespec="seconds"),
        )

    def stands(self, place: Place, before: Record, identity: str) -> bool:
        """Whether a record need not be made again."""
        return not self.rerun and before.identity == identity and self.store.whole(place, before)

    def identity(self, dataset: Dataset, method: Method) -> str:
        """Hash of all that decides a row's figures.

        Raises:
            HarnessError: what the row points to is not to be had.
        """
        return identity(
            method,
            self.context,
            dataset=dataset.revision,
            train=dataset.train.revision,
            depth=self.depth,
            measures=sorted(map(str, self.measures)),
        )

    def _shallow(self, method: Method) -> list[str]:
        """A note where a measure looks deeper than the row's rankings go."""
        reach = method.reach(self.depth)
        deep = [str(m) for m in self.measures if m.params.get("cutoff", 0) > reach]
        return [f"{', '.join(deep)}: the run is only {reach} deep"] if deep else []

    def _measure(
        self, name: str, dataset: Dataset, method: Method, blank: Record, place: Place
    ) -> tuple[Record, PerQuery]:
        queries = dataset.test.queries
        row = row_name(method)
        guard = Guard(dataset, self.context, self._warned)
        guard.admit(method)
        context = self.context.guarded(guard)
        billed = bills(method, dataset, context)
        with context.ledger.tracked(row) as done:
            for step in self.plan.of(name, row):
                if step.method is None or step.kind == "measure":
                    continue
                fitted = fit(step.method, dataset.train, context)
                if step.kind in ("index", "search"):
                    searcher = index(step.method, fitted, dataset.corpus, context)
                if step.kind == "search":
                    top = search(step.method, searcher, queries, dataset.test.search_depth(step.depth), context)
            # The row's own fit, index and search close its plan, so these are its own.
            run = Run.of_split(dataset.test, top, dataset.corpus, self.depth)
        values = per_query(self.measures, dataset.test.qrels, run)
        # What a searcher tells of its searches is asked before single queries are, and rounds are spread over what
        # follows.
        said = [*searcher.notes(queries), *self._shallow(method), *noted(done)]
        made, timed = _with_fit(blank, fitted, searcher, billed, said), timing(searcher, queries)
        timed.round()
        sha = self.store.write_run(place, run, row)
        seen, told = _leaks(fitted, dataset, values, context)
        told = [*caveats(self.measures, dataset.test.qrels, run), *told]
        timed.round()
        shares = unjudged(self.measures, dataset.test.qrels, run)
        timed.persist()
        self._timed[place] = timed
        record = dataclasses.replace(
            made,
            leaks=seen,
            unjudged=shares,
            measures={m: round(v, 6) for m, v in means(values).items()},
            phases=[phase(step) for step in done.all()[:-1]],
            seconds=(spent := row_seconds(done)),
            throughput=throughput(spent, dataset),
            latency=timed.found(),
            notes=[*made.notes, *told],
            run_sha256=sha,
            provenance=provenance(context.device, code_of_row(method)),  # again: by now the device is known
        )
        return record, values


def _leaks(fitted: Fitted, dataset: Dataset, values: PerQuery, context: Context) -> tuple[dict[str, Any], list[str]]:
    """What training has seen of test, for the record, and notes of it."""
    seen = leaked(dataset, values, context)
    told = leak_notes(seen) if fitted.supervision != "none" else []
    if taught := taught_leaks(fitted.models, dataset, values, context):
        seen = {**seen, "taught": taught}
        told = [*told, *taught_notes(seen)]
    return seen, told


def _with_fit(
    blank: Record, fitted: Fitted, searcher: Searcher, billed: Sequence[Bill], notes: Sequence[str]
) -> Record:
    return dataclasses.replace(
        blank,
        supervision=fitted.supervision,
        resolved={
            **fitted.resolved,
            **searcher.resolved,
            **({"embedding_cost": [bill.told() for bill in billed]} if billed else {}),
        },
        notes=[*fitted.notes, *(bill.note() for bill in billed), *notes],
        size=dataclasses.asdict(searcher.size),
    )


def noted(done: Step) -> list[str]:
    """What the steps have noted, each once."""
    return list(dict.fromkeys(note for step in done.all() for note in step.notes))
