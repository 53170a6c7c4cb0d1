"""Modal's containers as a crew: a worker is a place among those that may run at once, and each job is one call."""

from __future__ import annotations

import concurrent.futures
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final, Protocol

from harness.executors._budget import Budget
from harness.executors._crew import Crew, Lost, Ticket, Worker
from harness.executors._job_result import JobResult
from harness.executors._packed_job import packed_job
from harness.runtime.context import Context

NAME: Final = "modal"
NOT_AGAIN: Final = (
    "FunctionTimeoutError",
    "InputCancellation",
    "InvalidError",
    "PermissionDeniedError",
    "SerializationError",
    "DeserializationError",
    "RequestSizeError",
    "UserCodeException",
    "VersionError",
)
"""Modal's errors that another attempt would meet again."""
LONGEST_PAUSE: Final = 30.0
"""Seconds before another attempt, at most."""


class Call(Protocol):
    """What is used of `modal.FunctionCall`."""

    def get(self) -> str:
        """Waits for the answer."""
        ...

    def cancel(self) -> None:
        """Ends the call."""
        ...


class Function(Protocol):
    """What is used of `modal.Function`."""

    def spawn(self, text: str) -> Call:
        """Begins a call."""
        ...


class ModalCrew(Crew):
    """Workers that call one function of Modal's.

    Args:
        function: does a packed job.
        size: calls at once.
        context: of the requesting process.
        folders: of the cache and of the collections in a container.
        budget: a call begins only within its cap.
    """

    patience = 10 * LONGEST_PAUSE

    def __init__(
        self, function: Function, size: int, context: Context, folders: tuple[str, str], budget: Budget
    ) -> None:
        self.size = size
        self.function, self.context, self.folders, self.budget = function, context, folders, budget
        self.pool = ThreadPoolExecutor(size, "harness-modal")
        self.losses = 0
        """Calls that were lost one after the other."""

    def hire(self) -> Worker:
        return _ModalWorker(self)

    def wait(self, tickets: Sequence[Ticket], seconds: float) -> list[Ticket]:
        answered = concurrent.futures.wait(tickets, seconds, concurrent.futures.FIRST_COMPLETED).done
        return [ticket for ticket in tickets if ticket in answered]

    def close(self) -> None:
        """Begins no more calls."""
        self.pool.shutdown(wait=False, cancel_futures=True)


class _ModalWorker(Worker):
    name = NAME

    def __init__(self, crew: ModalCrew) -> None:
        self._crew = crew
        self._call: Call | None = None
        self._dismissed = False

    def start(self) -> Future[str]:
        return self._crew.pool.submit(self._start, self._crew.losses)

    def begin(self, job: str) -> Future[str]:
        return self._crew.pool.submit(self._do, job)

    def answer(self, ticket: Ticket) -> str:
        return str(ticket.result())

    def dismiss(self) -> None:
        self._dismissed = True
        if (call := self._call) is not None:
            call.cancel()

    def _start(self, losses: int) -> str:
        if losses:
            pause(min(LONGEST_PAUSE, 2.0**losses))
        return NAME

    def _do(self, job: str) -> str:
        """Waits for the budget and the answer; `JobResult` as JSON.

        Raises:
            Lost: of the container or the connection; another attempt may succeed.
        """
        budget = self._crew.budget
        if not budget.begin():
            return JobResult(error=budget.refusal, begun=False).to_json()
        started = time.perf_counter()
        try:
            answer = self._answer(job)
        except Exception as error:  # whatever the client or the connection raises
            message = f"{type(error).__name__}: {error}"
            if type(error).__name__ in NOT_AGAIN:
                return JobResult(error=message, seconds=time.perf_counter() - started).to_json()
            self._crew.losses += 1
            raise Lost(message) from error
        finally:
            self._call = None
            budget.end(time.perf_counter() - started)
        self._crew.losses = 0
        return answer

    def _answer(self, job: str) -> str:
        if self._dismissed:  # while it waited for the budget
            raise Lost("dismissed")
        self._call = self._crew.function.spawn(packed_job(job, self._crew.context, *self._crew.folders))
        return self._call.get()


def pause(seconds: float) -> None:
    """Waits."""
    threading.Event().wait(seconds)
