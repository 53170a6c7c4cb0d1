"""Processes of this machine: several jobs at once, with nothing to install; a process that is killed is replaced."""

from __future__ import annotations

import concurrent.futures
import contextlib
import multiprocessing
import os
import socket
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass

from harness.base.threads import cores
from harness.choices.bounds import Count
from harness.executors import Executor, Job, Outcome
from harness.executors._crew import Crew, Lost, Ticket, Worker, run_jobs
from harness.executors._job_result import do_job
from harness.executors._orphans import deaf, end, leave_interrupts_to
from harness.executors._setup import Setup, environment, threads
from harness.runtime.context import Context


@dataclass(frozen=True)
class Processes(Executor):
    """Does jobs in worker processes, each with a context of its own and its share of the cores.

    Workers are new Python processes (`spawn`), so a script that uses them needs `if __name__ == "__main__":`.

    Args:
        workers: number of processes; None takes as many as there are cores.
        tries: how often a job is begun whose worker is killed.
    """

    workers: Count | None = None
    tries: Count = 3

    def map(self, jobs: Sequence[Job], context: Context) -> Iterator[Outcome]:
        """See `Executor.map`."""
        size = self.workers or cores()
        return run_jobs(jobs, _Crew(size, Setup.of(context)), context, self.tries)


class _Crew(Crew):
    patience = 300.0

    def __init__(self, size: int, setup: Setup) -> None:
        self.size, self._setup = size, setup
        self._threads = threads(max(1, cores() // size))

    def hire(self) -> Worker:
        return _Process(self._setup, self._threads)

    def wait(self, tickets: Sequence[Ticket], seconds: float) -> list[Ticket]:
        answered = concurrent.futures.wait(tickets, seconds, concurrent.futures.FIRST_COMPLETED).done
        return [ticket for ticket in tickets if ticket in answered]


class _Process(Worker):
    def __init__(self, setup: Setup, threads: dict[str, str]) -> None:
        self._setup, self._threads = setup.to_json(), threads
        self._pool = ProcessPoolExecutor(
            1, multiprocessing.get_context("spawn"), initializer=leave_interrupts_to, initargs=(os.getpid(),)
        )
        self._request: Future[str] | None = None

    def start(self) -> Future[str]:
        with environment(self._threads), deaf():  # the process starts here, and reads them when it imports numpy
            self._request = self._pool.submit(_start, self._setup)
        return self._request

    def begin(self, job: str) -> Future[str]:
        try:
            self._request = self._pool.submit(_do, job)
        except BrokenProcessPool as error:  # it was killed since its last answer
            self._request = Future()
            self._request.set_exception(error)
        return self._request

    def answer(self, ticket: Ticket) -> str:
        try:
            return str(ticket.result())
        except BrokenProcessPool as error:
            raise Lost("its process ended") from error

    def dismiss(self) -> None:
        if self._request is not None and not self._request.done():  # an idle one ends by itself
            with contextlib.suppress(OSError, AttributeError):
                for process in list((self._pool._processes or {}).values()):
                    end(process.pid)
        self._pool.shutdown(wait=True, cancel_futures=True)


# In the worker

_own: list[Context] = []
"""The context of this process, if it is a worker."""


def _start(setup: str) -> str:
    _own[:] = [Setup.from_json(setup).context()]
    return f"{socket.gethostname()}:{os.getpid()}"


def _do(job: str) -> str:
    return do_job(job, _own[0])
