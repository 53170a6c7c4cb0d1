"""A board made elsewhere: what rows share is made once, in parts where that helps, then each row, wherever an executor
runs them.

The figures, rankings and identities are those that one process gives: a part of a corpus is a whole chunk of those that
are batched together, a text that stands in two parts is encoded with the first, and rows that encode candidates with
one model follow each other as they do on the board. Records are written by whoever asked, with what the workers send.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.base.errors import HarnessError, SettingError, Unavailable
from harness.bench.hosted_cost import costly
from harness.bench.plan import PlannedStep
from harness.bench.record import Record
from harness.bench.remote_jobs import Part, parts
from harness.bench.runner import Bench, Result
from harness.bench.store import Place
from harness.data.dataset import Dataset
from harness.executors import Executor, Job, Outcome
from harness.methods import Method
from harness.rows import parse_method, row_name

Cell = tuple[str, Method]
JOBS = "harness.bench.remote_jobs"


@dataclass(frozen=True)
class _Pending:
    """A row that a job makes: where its record goes, what was there, and how it looks without figures."""

    place: Place
    before: Record | None
    blank: Record


class Elsewhere(Bench):
    """A bench whose rows are made by the jobs of an executor. All begin when the first is asked for.

    Rows that cost money are made here, so that one cap holds for all of them; so are those that no text can name.

    Args:
        given: as `Bench`.
        executor: where.
        cells: the rows that will be asked for; all where None.
    """

    def __init__(self, *given: Any, executor: Executor, cells: Collection[Cell] | None = None, **settings: Any) -> None:
        super().__init__(*given, **settings)
        self._executor = executor
        self._cells = [(name, m) for name in self.datasets for m in self.methods if cells is None or (name, m) in cells]
        self._done: dict[Cell, Result] = {}
        self._pending: dict[str, tuple[Cell, _Pending]] = {}
        self._errors: dict[str, str] = {}
        self._outcomes: Iterator[Outcome] | None = None

    def run(self, name: str, method: Method) -> Result:
        """See `Bench.run`; waits for the job that makes it.

        Raises:
            SettingError: the executor is not to be had.
        """
        if _stays(method) or (name, method) not in self._cells:
            return super().run(name, method)
        if self._outcomes is None:
            self._outcomes = iter(self._executor.map(self._jobs(), self.context))
        while (name, method) not in self._done:
            try:
                outcome = next(self._outcomes)
            except Unavailable as error:  # not of a row, which would be skipped
                raise SettingError(f"{self._executor}: {error}") from error
            if outcome.error is not None:
                self._errors[outcome.job.id] = outcome.error
            if outcome.job.id in self._pending:
                cell, pending = self._pending.pop(outcome.job.id)
                self._done[cell] = self._taken(pending, outcome)
                if not self._pending:  # the workers are free for others
                    self.close()
        return self._done[name, method]

    def close(self) -> None:
        """Ends what still runs; rows that were not asked for are not made."""
        if (end := getattr(self._outcomes, "close", None)) is not None:
            end()

    def _taken(self, pending: _Pending, outcome: Outcome) -> Result:
        """Keeps what a worker has sent, or why there is nothing."""
        by = {"executor": str(self._executor), "worker": outcome.where, "attempts": outcome.attempts}
        if outcome.error is not None:
            why = [self._errors[name] for name in outcome.job.after if name in self._errors]
            problem = {"reason": ": ".join([outcome.error, *why[:1]]), "trace": ""}
            record, packed = dataclasses.replace(pending.blank, status="error", problem=problem), {}
        else:
            packed = outcome.value["files"]
            record = Record.from_json(outcome.value["record"], outcome.job.id)
            if record.status == "skipped" and pending.before is not None and pending.before.status == "ok":
                return Result(record, kept=True)
        record = dataclasses.replace(record, provenance={**record.provenance, **by})
        self.store.unpack(pending.place, packed, record)
        return Result(record, kept=False)

    # From the plan to jobs

    def _jobs(self) -> list[Job]:
        jobs: list[Job] = []
        for name in self.datasets:
            asked = [method for dataset, method in self._cells if dataset == name and not _stays(method)]
            if asked:
                dataset = self.load(name)
                left = {method: found for method in asked if (found := self._left(name, dataset, method)) is not None}
                jobs += self._shared_and_rows(name, dataset, left)
        return jobs

    def _left(self, name: str, dataset: Dataset, method: Method) -> str | None:
        """The identity of a row that must be made, empty where it cannot be told here; None where its record stands."""
        place = self.store.place(dataset.name, method, self.context.seed)
        before = self.store.load(place)
        try:
            identity = self.identity(dataset, method)
        except Exception:  # noqa: BLE001 - the job meets it again, and its record tells of it
            identity = ""
        if before is not None and identity and self.stands(place, before, identity):
            self._done[name, method] = Result(before, kept=True)
            return None
        self._pending[self._id("row", name, method)] = (
            (name, method),
            _Pending(place, before, self.blank(dataset, method)),
        )
        return identity

    def _shared_and_rows(self, name: str, dataset: Dataset, left: Mapping[Method, str]) -> list[Job]:
        rows = {row_name(method): method for method in left}
        needs: dict[str, list[str]] = {row: [] for row in rows}
        shared: dict[str, Job] = {}
        steps = [step for step in self.plan.steps if step.dataset == name]
        wanted = [(step, step.method, [row for row in step.rows if row in rows]) for step in steps]
        uses = _uses(wanted)
        cut = parts(dataset.corpus.texts) if any(use.whole for use in uses) else []
        for step, method, wanting in wanted:
            trains = step.kind == "fit" and method is not None and bool(getattr(method, "recipes", ()))
            if trains and (len(wanting) > 1 or (wanting and len(cut) > 1)):
                job = self._train(name, dataset, method, shared)
                shared[job.id] = job
                for row in wanting:
                    needs[row].append(job.id)
        for use in uses:
            if use.whole and (len(cut) > 1 or len(use.rows) > 1):
                encoding = [self._encode(name, dataset, use.method, part, shared, rows[use.rows[0]]) for part in cut]
                shared |= {job.id: job for job in encoding}
                for row in use.rows:
                    needs[row] += [job.id for job in encoding]
            elif not use.whole:  # candidates alone: each row takes what those before it have encoded, as in one process
                for row, before in zip(use.rows[1:], use.rows, strict=False):
                    needs[row].append(self._id("row", name, rows[before]))
        return [*shared.values(), *(self._row(name, dataset, rows[row], left[rows[row]], needs[row]) for row in rows)]

    def _train(self, name: str, dataset: Dataset, method: Any, shared: Collection[str]) -> Job:
        earlier = [dataclasses.replace(method, recipes=method.recipes[:n]) for n in range(1, len(method.recipes))]
        after = tuple(known for m in earlier if (known := self._id("train", name, m)) in shared)
        given = {"board": self._told(), "dataset": name, "method": str(method)}
        return Job(
            self._id("train", name, method), f"{JOBS}:train", given, f"train {method} on {dataset.name}", after=after
        )

    def _encode(
        self, name: str, dataset: Dataset, method: Method, part: Part, shared: Collection[str], first: Method
    ) -> Job:
        """A job for one part; the queries go with the first, where the first row of the board would begin with them."""
        trained = self._id("train", name, method)
        given = {
            **{"board": self._told(), "dataset": name, "method": str(method), **dataclasses.asdict(part)},
            "queries": part.start == 0 and first.encoding() is not None,
        }
        own = f"{self._id('encode', name, method)}/{part.start}"
        label = f"encode documents {part.start:,}–{part.stop:,} of {dataset.name} for {method}"
        return Job(own, f"{JOBS}:encode", given, label, after=(trained,) if trained in shared else ())

    def _row(self, name: str, dataset: Dataset, method: Method, identity: str, needs: Sequence[str]) -> Job:
        given = {"board": self._told(), "dataset": name, "method": str(method), "identity": identity}
        label = f"{row_name(method)} on {dataset.name}"
        return Job(self._id("row", name, method), f"{JOBS}:row", given, label, after=tuple(dict.fromkeys(needs)))

    def _told(self) -> dict[str, Any]:
        return {
            "methods": list(map(str, self.methods)),
            "datasets": self.datasets,
            "measures": list(map(str, self.measures)),
            "depth": self.depth,
        }

    def _id(self, kind: str, name: str, method: Method) -> str:
        return f"{kind}/{name}/{method.fingerprint()}/seed{self.context.seed}"


def _stays(method: Method) -> bool:
    """Whether a row is made by whoever asks."""
    try:
        return costly(method) or parse_method(str(method)) != method
    except HarnessError:
        return True


@dataclass
class _Use:
    """An encoding, the rows that need it, and whether of the whole corpus or of candidates alone."""

    method: Method
    rows: list[str]
    whole: bool


def _uses(wanted: Sequence[tuple[PlannedStep, Method | None, list[str]]]) -> list[_Use]:
    uses: dict[Method, _Use] = {}
    for step, method, wanting in wanted:
        encoding = method.encoding() if method is not None and wanting else None
        if encoding is not None and step.kind in ("fit", "index"):
            use = uses.setdefault(encoding, _Use(encoding, [], whole=False))
            use.rows += [row for row in wanting if row not in use.rows]
            use.whole |= step.kind == "index"
    return list(uses.values())
