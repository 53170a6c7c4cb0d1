"""A board done by the workers of an executor, with the scores, rankings and identities that one process gives.

A part of a corpus is a whole chunk of those that are batched together, a text that occurs in two parts is encoded with
the first, and rows that encode candidates with one model follow each other as they do on the board. The requesting
process writes the records, with what the workers return.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from harness.base.errors import HarnessError, SettingError, Unavailable
from harness.bench.board_jobs import BoardJobs
from harness.bench.hosted_cost import costly
from harness.bench.record import Record
from harness.bench.row_job import RowResult
from harness.bench.runner import Bench, Result
from harness.bench.store import Place
from harness.data.dataset import Dataset
from harness.executors import Executor, Job, Outcome
from harness.methods import Method
from harness.rows import parse_method

Cell = tuple[str, Method]
"""A dataset's name and a row."""


@dataclass(frozen=True)
class _Pending:
    """A row that a job does: its cell, where its record goes, the record before, and a record without scores."""

    cell: Cell
    place: Place
    before: Record | None
    blank: Record


class RemoteBench(Bench):
    """A bench whose rows are done by the jobs of an executor. All begin when the first is requested.

    Rows that cost money are done here, so that one cap applies to all of them; so are those that no text can express.

    Args:
        arguments: as `Bench`.
        executor: where.
        cells: the rows that will be requested; all if None.
        settings: as `Bench`.
    """

    def __init__(
        self, *arguments: Any, executor: Executor, cells: Collection[Cell] | None = None, **settings: Any
    ) -> None:
        super().__init__(*arguments, **settings)
        self._executor = executor
        every = [(name, method) for name in self.datasets for method in self.methods]
        self._cells = [cell for cell in every if (cells is None or cell in cells) and not _stays(cell[1])]
        self._done: dict[Cell, Result] = {}
        self._pending: dict[str, _Pending] = {}
        self._errors: dict[str, str] = {}
        self._outcomes: Iterator[Outcome] | None = None

    def run(self, name: str, method: Method) -> Result:
        """See `Bench.run`; waits for the job of the row.

        Raises:
            SettingError: the executor is not available.
        """
        if (name, method) not in self._cells:
            return super().run(name, method)
        if self._outcomes is None:
            self._outcomes = iter(self._executor.map(self._jobs(), self.context))
        while (name, method) not in self._done:
            self._receive()
        return self._done[name, method]

    def close(self) -> None:
        """Ends what still runs; rows that were not requested are not done."""
        if (end := getattr(self._outcomes, "close", None)) is not None:
            end()

    def _receive(self) -> None:
        """Waits for the next outcome, and stores it if it is a row's."""
        assert self._outcomes is not None
        try:
            outcome = next(self._outcomes)
        except Unavailable as error:  # of the executor: not of a row, which would be skipped
            raise SettingError(f"{self._executor}: {error}") from error
        if outcome.error is not None:
            self._errors[outcome.job.id] = outcome.error
        if outcome.job.id in self._pending:
            pending = self._pending.pop(outcome.job.id)
            self._done[pending.cell] = self._store(pending, outcome)
            if not self._pending:  # the workers are free for others
                self.close()

    def _store(self, pending: _Pending, outcome: Outcome) -> Result:
        """Stores a worker's result, or a record that says why there is none."""
        if outcome.error is None:
            result = RowResult.of(outcome)
        else:
            causes = [self._errors[name] for name in outcome.job.after if name in self._errors]
            problem = {"reason": ": ".join([outcome.error, *causes[:1]]), "trace": ""}
            result = RowResult(dataclasses.replace(pending.blank, status="error", problem=problem), {})
        record = result.record
        if record.status == "skipped" and pending.before is not None and pending.before.status == "ok":
            return Result(record, kept=True)
        by = {"executor": str(self._executor), "worker": outcome.where, "attempts": outcome.attempts}
        alias = pending.before.alias if pending.before else ""
        record = dataclasses.replace(record, alias=alias, provenance={**record.provenance, **by})
        self.store.unpack(pending.place, result.files, record)
        return Result(record, kept=False)

    def _jobs(self) -> list[Job]:
        repetition = datetime.now(UTC).isoformat() if self.rerun else ""
        measures = list(map(str, self.measures))
        board = BoardJobs(self.plan, self.context, self.methods, measures, self.depth, repetition)
        jobs: list[Job] = []
        for name in self.datasets:
            rows = [method for dataset, method in self._cells if dataset == name]
            if rows:
                dataset = self.load(name)
                due = [method for method in rows if self._due(name, dataset, method, board)]
                jobs += board.jobs(name, dataset, due)
        return jobs

    def _due(self, name: str, dataset: Dataset, method: Method, board: BoardJobs) -> bool:
        """Whether a row has to be done, as a pending one; else its record is up to date."""
        place = self.store.place(dataset.name, method, self.context.seed)
        before = self.store.load(place)
        try:
            identity = self.identity(dataset, method)
        except Exception:  # noqa: BLE001 - the job meets it again, and its record reports it
            identity = ""
        if before is not None and identity and self.up_to_date(place, before, identity):
            self._done[name, method] = Result(before, kept=True)
            return False
        blank = self.blank(dataset, method)
        self._pending[board.row_id(name, dataset, method)] = _Pending((name, method), place, before, blank)
        return True


def _stays(method: Method) -> bool:
    """Whether a row is done by the requesting process."""
    try:
        return costly(method) or parse_method(method.full()) != method
    except HarnessError:
        return True
