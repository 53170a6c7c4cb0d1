"""What a worker does with a job, and what it returns of it; as JSON between processes."""

from __future__ import annotations

import dataclasses
import json
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harness.base.errors import error_message
from harness.executors import Job
from harness.runtime.context import Context


@dataclass(frozen=True)
class JobResult:
    """What a worker returns of a job that did not take the worker down.

    Args:
        value: what the function returned.
        error: why it failed; None if it did not.
        seconds: that it took.
        warnings: what was logged meanwhile: a worker has no terminal, so the requesting process shows it.
        begun: False if the job was not begun at all.
    """

    value: Any = None
    error: str | None = None
    seconds: float = 0.0
    warnings: tuple[str, ...] = ()
    begun: bool = True

    def to_json(self) -> str:
        """As text."""
        return json.dumps(dataclasses.asdict(self), allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> JobResult:
        """Reads it back."""
        fields = json.loads(text)
        return cls(**{**fields, "warnings": tuple(fields["warnings"])})

    @property
    def final(self) -> bool:
        """Whether another attempt would give the same (`harness.executors.Job`)."""
        if self.error is not None:
            return False
        return not isinstance(self.value, dict) or self.value.get("final", True) is True


def job_from_json(text: str) -> Job:
    """Reads a job back that `dataclasses.asdict` wrote."""
    fields: Mapping[str, Any] = json.loads(text)
    return Job(**{**fields, "after": tuple(fields["after"])})


class _Warnings(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


def do_job(text: str, context: Context) -> str:
    """Does a job (as JSON) in this process; `JobResult` as JSON, whatever the job raises."""
    job, started = job_from_json(text), time.perf_counter()
    logger, warnings = logging.getLogger("harness"), _Warnings()
    before, logger.propagate = logger.propagate, False  # a worker has no terminal
    logger.addHandler(warnings)
    value, error = None, None
    try:
        value = job.function()(job.given, context)
        json.dumps(value, allow_nan=False)
    except Exception as fault:  # noqa: BLE001 - a job must not take the worker down; the outcome has the error
        value, error = None, error_message(fault)
    finally:
        logger.removeHandler(warnings)
        logger.propagate = before
    seconds = time.perf_counter() - started
    return JobResult(value, error, seconds, tuple(dict.fromkeys(warnings.lines))).to_json()
