"""Executors: where jobs run, one place per file.

A job names a function and what it is given; it is done once whatever happens to whoever does it, for what it makes is
kept by content and a second attempt finds it. To add one: a file here with one frozen dataclass that derives from
`Executor`, and `tests/executors/test_<file>.py`. What those with workers share is in `_crew` (who does what, and in
place of whom) and `_setup` (a context, as it is told to another process).
"""

from __future__ import annotations

import importlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from harness.base.errors import SettingError
from harness.choices.room import Room
from harness.choices.value import Value
from harness.runtime.context import Context


@dataclass(frozen=True)
class Job:
    """A piece of work that may be done anywhere, more than once, with one result.

    Args:
        id: decided by everything that decides the result; no two jobs of a call share it.
        call: `package.module:function`; the function takes what is given and a `Context`, and returns what is
            JSON-safe.
        given: JSON-safe.
        label: for people, as `run bm25 on beir/scifact`.
        cpus: cores it wants; may be a fraction.
        gpus: the same.
        after: ids of jobs that must be done before; if one of them fails, this one is not tried.
    """

    id: str
    call: str
    given: Mapping[str, Any] = field(default_factory=dict)
    label: str = ""
    cpus: float = 1.0
    gpus: float = 0.0
    after: tuple[str, ...] = ()

    def function(self) -> Callable[[Mapping[str, Any], Context], Any]:
        """What `call` names.

        Raises:
            SettingError: there is no such function.
        """
        module, _, name = self.call.partition(":")
        try:
            found = getattr(importlib.import_module(module), name)
        except (ImportError, AttributeError, ValueError) as error:
            raise SettingError(
                f"job {self.id}: {self.call!r} names no function ({error}); say package.module:function"
            ) from error
        if not callable(found):
            raise SettingError(f"job {self.id}: {self.call!r} is not a function; say package.module:function")
        return found  # type: ignore[no-any-return]


@dataclass(frozen=True)
class Outcome:
    """How a job ended.

    Args:
        job: which.
        value: what its function returned; None where it failed.
        error: why it failed, for people; None where it did not.
        seconds: that the last attempt took.
        attempts: how often it was begun; 0 where what it comes after failed.
        where: the worker that did it.
    """

    job: Job
    value: Any = None
    error: str | None = None
    seconds: float = 0.0
    attempts: int = 1
    where: str = "here"


class Executor(Value, ABC):
    """A place where jobs run: settings only."""

    room: ClassVar[str] = "harness.executors"

    @abstractmethod
    def map(self, jobs: Sequence[Job], context: Context) -> Iterator[Outcome]:
        """Does the jobs, each after those it comes after, and yields each outcome when it is there.

        A job that fails is an outcome, and the others go on. A worker that is lost is no failure of the job: it is
        begun again.

        Args:
            jobs: with distinct ids.
            context: of whoever asks; a worker elsewhere makes itself one with the same seed, device, cache and data.

        Raises:
            SettingError: two jobs share an id, one comes after a job that is not there, or they wait for each other.
            Unavailable: the place is not to be had.
        """

    def dollars(self, seconds: float) -> float | None:
        """What so many seconds of work cost, all jobs together; None where they cost nothing that is known."""
        return None


EXECUTORS: Room[Executor] = Room(__name__, Executor, "executor")  # type: ignore[type-abstract]


def ordered(jobs: Sequence[Job]) -> list[Job]:
    """The jobs, each after those it comes after, in the order given where that leaves a choice.

    Raises:
        SettingError: two jobs share an id, one comes after a job that is not there, or they wait for each other.
    """
    known = {job.id: job for job in jobs}
    if len(known) < len(jobs):
        twice = next(job.id for i, job in enumerate(jobs) if job.id in {other.id for other in jobs[:i]})
        raise SettingError(f"two jobs are called {twice!r}: an id is decided by all that decides the result")
    for job in jobs:
        if missing := [name for name in job.after if name not in known]:
            raise SettingError(f"job {job.id!r} comes after {missing[0]!r}, which is not among the jobs")
    done: dict[str, Job] = {}
    waiting = list(jobs)
    while waiting:
        ready = [job for job in waiting if all(name in done for name in job.after)]
        if not ready:
            raise SettingError(f"jobs wait for each other: {', '.join(job.id for job in waiting[:5])}")
        done |= {job.id: job for job in ready}
        waiting = [job for job in waiting if job.id not in done]
    return list(done.values())
