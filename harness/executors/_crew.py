"""A crew: workers that do jobs side by side, each with a context of its own, and who takes the place of one that is
lost.

An executor says how a worker is started, asked and dismissed; who does what, and what happens when one is lost, is
decided here and is the same for all of them.
"""

from __future__ import annotations

import dataclasses
import json
import logging
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.base.errors import HarnessError, Unavailable
from harness.executors import Job, Outcome, ordered
from harness.runtime.context import Context

log = logging.getLogger("harness.executors")
Ticket = Any
"""What stands for something that a worker was asked, until it is answered."""


class Lost(Exception):
    """A worker that is no more: killed, out of memory, or on a machine that is gone."""


class Worker(ABC):
    """Someone who does one job at a time.

    Attributes:
        name: for people; known when it has started.
    """

    name: str = "a worker"

    @abstractmethod
    def start(self) -> Ticket:
        """Begins to start it; the answer is its name."""

    @abstractmethod
    def begin(self, job: str) -> Ticket:
        """Gives it a job (`Job` as JSON); the answer is `Done` as JSON."""

    @abstractmethod
    def answer(self, ticket: Ticket) -> str:
        """What was answered to a ticket that is done.

        Raises:
            Lost: the worker is no more.
            Unavailable: it cannot be started, nor could another.
        """

    @abstractmethod
    def dismiss(self) -> None:
        """Ends it, whatever it does; its name stays."""


class Crew(ABC):
    """Where workers come from.

    Attributes:
        size: how many at most.
        patience: seconds after which a worker that does not start is given up, where no other works.
    """

    size: int
    patience: float

    @abstractmethod
    def hire(self) -> Worker:
        """One more, not started."""

    @abstractmethod
    def wait(self, tickets: Sequence[Ticket], seconds: float) -> list[Ticket]:
        """Those that are answered, as soon as there is one; none where the time is over first."""


@dataclass
class _Task:
    job: Job
    attempts: int = 0
    began: float = 0.0


def work(jobs: Sequence[Job], crew: Crew, context: Context, tries: int) -> Iterator[Outcome]:
    """Does the jobs, as `Executor.map` says.

    Args:
        jobs: with distinct ids.
        crew: who does them.
        context: whose progress bar shows it.
        tries: how often a job is begun whose workers are lost.
    """
    for job in (lined := ordered(jobs)):
        job.function()  # a name that leads nowhere is told before anybody is hired
    board = _Board(lined, crew, tries)
    try:
        with context.progress("jobs", len(jobs), "jobs") as advance:
            for outcome in board.outcomes():
                advance(1, outcome.job.label or outcome.job.id)
                yield outcome
    finally:
        board.dismiss()


class _Board:
    """Who does what."""

    def __init__(self, jobs: Sequence[Job], crew: Crew, tries: int) -> None:
        self._waiting = [_Task(job) for job in jobs]
        self._crew, self._tries = crew, tries
        self._ended: dict[str, Outcome] = {}
        self._starting: list[tuple[Ticket, Worker]] = []
        self._idle: list[Worker] = []
        self._fallen = 0
        self._busy: list[tuple[Ticket, Worker, _Task]] = []
        self._told: set[str] = set()
        self._alone_since = time.monotonic()

    def outcomes(self) -> Iterator[Outcome]:
        while self._waiting or self._busy:
            yield from self._give_up()
            self._assign()
            tickets = [ticket for ticket, *_ in (*self._starting, *self._busy)]
            if not tickets:
                continue  # the last ones were given up
            answered = self._crew.wait(tickets, 1.0)
            self._started([one for one in self._starting if any(one[0] is ticket for ticket in answered)])
            for ticket, worker, task in [one for one in self._busy if any(one[0] is ticket for ticket in answered)]:
                yield from self._answered(ticket, worker, task)

    def dismiss(self) -> None:
        for worker in (*(w for _, w in self._starting), *self._idle, *(w for _, w, _ in self._busy)):
            worker.dismiss()

    def _give_up(self) -> Iterator[Outcome]:
        """Ends the jobs that come after one that failed."""
        again = True
        while again:  # those that come after the ones given up here are given up too
            again = False
            for task in list(self._waiting):
                failed = [
                    name for name in task.job.after if name in self._ended and self._ended[name].error is not None
                ]
                if failed:
                    again = True
                    self._waiting.remove(task)
                    yield self._end(Outcome(task.job, error=f"not tried: {failed[0]} failed", attempts=0))

    def _assign(self) -> None:
        ready = [task for task in self._waiting if all(name in self._ended for name in task.job.after)]
        for task in ready[: len(self._idle)]:
            worker = self._idle.pop()  # the last to be done: what it holds may serve again
            self._waiting.remove(task)
            task.attempts += 1
            task.began = time.perf_counter()
            self._busy.append((worker.begin(json.dumps(dataclasses.asdict(task.job))), worker, task))
        if self._fallen >= self._tries:
            return  # no more of those who do not even start
        wanted = min(self._crew.size - len(self._busy), len(self._waiting)) - len(self._idle)
        for _ in range(wanted - len(self._starting)):
            worker = self._crew.hire()
            self._starting.append((worker.start(), worker))

    def _started(self, answered: Sequence[tuple[Ticket, Worker]]) -> None:
        if answered or self._busy or self._idle:
            self._alone_since = time.monotonic()
        for one in answered:
            ticket, worker = one
            self._starting.remove(one)
            try:
                worker.name = worker.answer(ticket)
            except Lost as error:
                worker.dismiss()
                self._fallen += 1
                if self._fallen >= self._tries and not (self._busy or self._idle or self._starting):
                    raise Unavailable(
                        f"no worker could be started: {error}.", "See what the machine says of it."
                    ) from error
            else:
                self._fallen = 0
                self._idle.append(worker)
        if self._starting and time.monotonic() - self._alone_since > self._crew.patience:
            raise Unavailable(
                f"no worker has started within {self._crew.patience:g} s.",
                "Ask for fewer cpus or gpus a worker, or for fewer workers; a cluster that grows may need a longer "
                "timeout.",
            )

    def _answered(self, ticket: Ticket, worker: Worker, task: _Task) -> Iterator[Outcome]:
        self._busy = [one for one in self._busy if one[1] is not worker]
        spent = time.perf_counter() - task.began
        try:
            done = Done.from_json(worker.answer(ticket))
        except Lost as error:
            worker.dismiss()
            name = task.job.label or task.job.id
            if task.attempts < self._tries:
                log.warning("%s was lost with %s (%s); it is begun again", worker.name, name, error)
                self._waiting.insert(0, task)
            else:
                why = f"its worker was lost {task.attempts} times, the last time {worker.name} ({error})"
                yield self._end(Outcome(task.job, None, why, spent, task.attempts, worker.name))
            return
        self._idle.append(worker)
        for line in done.warnings:
            if line not in self._told:
                self._told.add(line)
                log.warning("%s", line)
        yield self._end(Outcome(task.job, done.value, done.error, done.seconds, task.attempts, worker.name))

    def _end(self, outcome: Outcome) -> Outcome:
        self._ended[outcome.job.id] = outcome
        return outcome


# What a worker does


@dataclass(frozen=True)
class Done:
    """What a worker says of a job that it has done: it failed by itself, or did not.

    Args:
        value: what the function returned.
        error: why it failed; None where it did not.
        seconds: that it took.
        warnings: what was logged meanwhile, for whoever asked to see: a worker has no terminal.
    """

    value: Any
    error: str | None
    seconds: float
    warnings: tuple[str, ...]

    def to_json(self) -> str:
        """As text."""
        return json.dumps(dataclasses.asdict(self), allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> Done:
        """Reads it back."""
        held = json.loads(text)
        return cls(**{**held, "warnings": tuple(held["warnings"])})


def told_of(error: Exception) -> str:
    """Why a job failed, for people."""
    return str(error) if isinstance(error, HarnessError) else f"{type(error).__name__}: {error}"


class _Kept(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


def done(told: str, context: Context) -> str:
    """Does a job (as JSON) in this process; `Done` as JSON, whatever the job raises."""
    held: Mapping[str, Any] = json.loads(told)
    job = Job(**{**held, "after": tuple(held["after"])})
    house, kept, started = logging.getLogger("harness"), _Kept(), time.perf_counter()
    before, house.propagate = house.propagate, False  # a worker has no terminal
    house.addHandler(kept)
    value, error = None, None
    try:
        value = job.function()(job.given, context)
        json.dumps(value, allow_nan=False)
    except Exception as fault:  # noqa: BLE001 - one job must not take the worker down; the outcome tells of it
        value, error = None, told_of(fault)
    finally:
        house.removeHandler(kept)
        house.propagate = before
    return Done(value, error, time.perf_counter() - started, tuple(dict.fromkeys(kept.lines))).to_json()
