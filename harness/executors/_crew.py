"""Scheduling of jobs over workers that run in parallel, each with a context of its own; a lost worker is replaced.

An executor defines how a worker is started, given a job and stopped. Which worker does which job, and what happens
when one is lost, is decided here and is the same for all executors.
"""

from __future__ import annotations

import dataclasses
import json
import logging
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from harness.base.errors import Unavailable
from harness.executors import Job, Outcome, ordered
from harness.executors._job_result import JobResult
from harness.runtime.context import Context

log = logging.getLogger("harness.executors")
Ticket = Any
"""Handle to a pending request to a worker."""


class Lost(Exception):
    """A worker no longer exists: it was killed, ran out of memory, or its machine is gone."""


class Worker(ABC):
    """Does one job at a time.

    Attributes:
        name: for people; known when it has started.
    """

    name: str = "a worker"

    @abstractmethod
    def start(self) -> Ticket:
        """Begins to start it; the answer is its name."""

    @abstractmethod
    def begin(self, job: str) -> Ticket:
        """Gives it a job (`Job` as JSON); the answer is `JobResult` as JSON."""

    @abstractmethod
    def answer(self, ticket: Ticket) -> str:
        """The answer to a ticket that is done.

        Raises:
            Lost: the worker no longer exists.
            Unavailable: it cannot be started, nor could another.
        """

    @abstractmethod
    def dismiss(self) -> None:
        """Stops it, even if it is at work; its name stays."""


class Crew(ABC):
    """Where workers come from.

    Attributes:
        size: how many at most.
        patience: seconds to wait for a worker to start while no other works.
    """

    size: int
    patience: float

    @abstractmethod
    def hire(self) -> Worker:
        """One more, not started."""

    @abstractmethod
    def wait(self, tickets: Sequence[Ticket], seconds: float) -> list[Ticket]:
        """Tickets with an answer, as soon as there is one; none after `seconds` without any."""


@dataclass
class _Task:
    job: Job
    attempts: int = 0
    began: float = 0.0


@dataclass(frozen=True)
class _Starting:
    ticket: Ticket
    worker: Worker


@dataclass(frozen=True)
class _Busy:
    ticket: Ticket
    worker: Worker
    task: _Task


def run_jobs(jobs: Sequence[Job], crew: Crew, context: Context, tries: int) -> Iterator[Outcome]:
    """Does the jobs, as `Executor.map` says.

    Args:
        jobs: with distinct ids.
        crew: does them.
        context: its progress bar shows them.
        tries: how often a job whose worker is lost is started.
    """
    in_order = ordered(jobs)
    for job in in_order:
        job.function()  # an unknown function is an error before any worker is started
    scheduler = _Scheduler(in_order, crew, tries)
    try:
        with context.progress("jobs", len(jobs), "jobs") as advance:
            for outcome in scheduler.outcomes():
                advance(1, outcome.job.label or outcome.job.id)
                yield outcome
    finally:
        scheduler.dismiss()


class _Scheduler:
    """Gives waiting jobs to idle workers, starts workers as they are needed and replaces lost ones."""

    def __init__(self, jobs: Sequence[Job], crew: Crew, tries: int) -> None:
        self._waiting = [_Task(job) for job in jobs]
        self._crew, self._tries = crew, tries
        self._ended: dict[str, Outcome] = {}
        self._starting: list[_Starting] = []
        self._idle: list[Worker] = []
        self._busy: list[_Busy] = []
        self._failed_starts = 0
        self._shown: set[str] = set()
        self._alone_since = time.monotonic()

    def outcomes(self) -> Iterator[Outcome]:
        """Every outcome, as soon as it is known."""
        while self._waiting or self._busy:
            yield from self._give_up()
            self._assign()
            entries: list[_Starting | _Busy] = [*self._starting, *self._busy]
            tickets = [entry.ticket for entry in entries]
            if not tickets:
                continue  # the remaining jobs were given up
            answered = {id(ticket) for ticket in self._crew.wait(tickets, 1.0)}
            self._note_started([entry for entry in self._starting if id(entry.ticket) in answered])
            for entry in [entry for entry in self._busy if id(entry.ticket) in answered]:
                yield from self._finish(entry)

    def dismiss(self) -> None:
        """Ends all workers."""
        entries: list[_Starting | _Busy] = [*self._starting, *self._busy]
        for worker in (*self._idle, *(entry.worker for entry in entries)):
            worker.dismiss()

    def _give_up(self) -> Iterator[Outcome]:
        """Ends the jobs that come after one that failed, and those that come after these."""
        for task in list(self._waiting):  # in order: a job is behind those in its `after`
            failed = [name for name in task.job.after if name in self._ended and self._ended[name].error is not None]
            if failed:
                self._waiting.remove(task)
                yield self._end(Outcome(task.job, error=f"not tried: {failed[0]} failed", attempts=0))

    def _assign(self) -> None:
        ready = [task for task in self._waiting if all(name in self._ended for name in task.job.after)]
        for task in ready[: len(self._idle)]:
            worker = self._idle.pop()  # the last that became idle: what it has in memory may be used again
            self._waiting.remove(task)
            task.attempts += 1
            task.began = time.perf_counter()
            self._busy.append(_Busy(worker.begin(json.dumps(dataclasses.asdict(task.job))), worker, task))
        if self._failed_starts >= self._tries:
            return  # starts no more workers
        wanted = min(self._crew.size - len(self._busy), len(self._waiting)) - len(self._idle)
        for _ in range(wanted - len(self._starting)):
            worker = self._crew.hire()
            self._starting.append(_Starting(worker.start(), worker))

    def _note_started(self, answered: Sequence[_Starting]) -> None:
        """Makes workers that have started idle.

        Raises:
            Unavailable: none starts.
        """
        if answered or self._busy or self._idle:
            self._alone_since = time.monotonic()
        for entry in answered:
            self._starting.remove(entry)
            try:
                entry.worker.name = entry.worker.answer(entry.ticket)
            except Lost as error:
                entry.worker.dismiss()
                self._failed_starts += 1
                if self._failed_starts >= self._tries and not (self._busy or self._idle or self._starting):
                    raise Unavailable(
                        f"no worker could be started: {error}.", "See the logs of the machine."
                    ) from error
            else:
                self._failed_starts = 0
                self._idle.append(entry.worker)
        if self._starting and time.monotonic() - self._alone_since > self._crew.patience:
            raise Unavailable(
                f"no worker has started within {self._crew.patience:g} s.",
                "Request fewer cpus or gpus per worker, or fewer workers; a growing cluster may need a longer timeout.",
            )

    def _finish(self, entry: _Busy) -> Iterator[Outcome]:
        """The outcome of a job that is answered; none if its worker was lost and it is started again."""
        self._busy.remove(entry)
        worker, task = entry.worker, entry.task
        spent = time.perf_counter() - task.began
        try:
            result = JobResult.from_json(worker.answer(entry.ticket))
        except Lost as error:
            worker.dismiss()
            name = task.job.label or task.job.id
            if task.attempts < self._tries:
                log.warning("%s was lost with %s (%s); it is started again", worker.name, name, error)
                self._waiting.insert(0, task)
            else:
                reason = f"its worker was lost {task.attempts} times, the last time {worker.name} ({error})"
                yield self._end(Outcome(task.job, None, reason, spent, task.attempts, worker.name))
            return
        self._idle.append(worker)
        for line in result.warnings:
            if line not in self._shown:
                self._shown.add(line)
                log.warning("%s", line)
        attempts = task.attempts if result.begun else task.attempts - 1
        yield self._end(Outcome(task.job, result.value, result.error, result.seconds, attempts, worker.name))

    def _end(self, outcome: Outcome) -> Outcome:
        self._ended[outcome.job.id] = outcome
        return outcome
