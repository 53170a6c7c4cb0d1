"""Executors: where jobs run, one place per file.

A job names a function and its arguments. It may be begun again if its worker is lost: what it makes is cached by
content, and a second attempt finds it. To add an executor: a file here with one frozen dataclass that derives from
`Executor`, and `tests/executors/test_<file>.py`. What executors with workers share is in `_crew` (the scheduler),
`_job_result` (what a worker does and returns) and `_setup` (the settings of a context, for another process).
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
    """A piece of work that may be done on any worker, more than once, with the same result.

    Args:
        id: decided by everything that decides the result; no two jobs of a call share it.
        call: `package.module:function`; the function takes the arguments and a `Context`, and returns a JSON-safe
            value. A value with `"final": False` is not stored by executors that store outcomes: another attempt may
            give another.
        given: the arguments, JSON-safe.
        label: for people, as `run bm25 on beir/scifact`.
        cpus: cores it needs; may be a fraction.
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
        """The function that `call` names.

        Raises:
            SettingError: there is no such function.
        """
        module, _, name = self.call.partition(":")
        try:
            function = getattr(importlib.import_module(module), name)
        except (ImportError, AttributeError, ValueError) as error:
            raise SettingError(
                f"job {self.id}: {self.call!r} names no function ({error}); write package.module:function"
            ) from error
        if not callable(function):
            raise SettingError(f"job {self.id}: {self.call!r} is not a function; write package.module:function")
        return function  # type: ignore[no-any-return]


@dataclass(frozen=True)
class Outcome:
    """How a job ended.

    Args:
        job: that ended.
        value: what its function returned; None if it failed.
        error: why it failed, for people; None if it did not.
        seconds: that the last attempt took.
        attempts: how often it was begun; 0 if a job before it failed.
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
        """Does the jobs, each after those in its `after`, and yields each outcome as soon as it is known.

        A job that fails is an outcome, and the others continue. A job whose worker is lost is begun again.

        Args:
            jobs: with distinct ids.
            context: of the caller; a worker makes its own with the same seed, device, cache and data.

        Raises:
            SettingError: two jobs share an id, one comes after a job that is not there, or they wait for each other.
            Unavailable: the executor cannot be used.
        """

    def dollars(self, seconds: float) -> float | None:
        """What so many seconds of work cost, all jobs together; None if no cost is known."""
        return None


EXECUTORS: Room[Executor] = Room(__name__, Executor, "executor")  # type: ignore[type-abstract]


def ordered(jobs: Sequence[Job]) -> list[Job]:
    """The jobs, each after those it comes after, in the given order if that leaves a choice.

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
