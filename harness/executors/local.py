"""Here: one job after the other in this process, with the caller's context."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from harness.base.errors import error_message
from harness.executors import Executor, Job, Outcome, ordered
from harness.runtime.context import Context


@dataclass(frozen=True)
class Local(Executor):
    """Runs each job in this process; jobs share one context, so what one builds is there for the next."""

    def map(self, jobs: Sequence[Job], context: Context) -> Iterator[Outcome]:
        """See `Executor.map`."""
        failed: set[str] = set()
        for job in ordered(jobs):
            if lost := [name for name in job.after if name in failed]:
                failed.add(job.id)
                yield Outcome(job, error=f"not tried: {lost[0]} failed", attempts=0)
                continue
            function, started = job.function(), time.perf_counter()
            try:
                value = function(job.given, context)
            except Exception as error:  # noqa: BLE001 - one job must not end the others
                failed.add(job.id)
                yield Outcome(job, error=error_message(error), seconds=time.perf_counter() - started)
            else:
                yield Outcome(job, value, seconds=time.perf_counter() - started)
