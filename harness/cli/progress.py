"""What a command is doing, from its first second on: a line with bars on a terminal, now and then a line in a log.

On a terminal, one live display at the bottom has what is being done and a bar for what is counted, with throughput and
time left; it is gone when results are printed. Elsewhere, as in the log of a CI job, a line says what is being done if
nothing was printed for a while.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Iterator
from contextvars import ContextVar

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Column
from rich.text import Text

from harness.base.doing import LOGGER
from harness.base.plain import one_line
from harness.report.screen import LIVE
from harness.runtime.progress import Advance, quiet
from harness.runtime.progress import Progress as Opener

CURRENT: ContextVar[Activity | None] = ContextVar("activity", default=None)
"""What shows the progress of this command."""
PATIENCE = 20.0
"""Seconds without a new line after which a log gets one."""


class _Rate(ProgressColumn):
    """Items per second."""

    def render(self, task: Task) -> Text:
        unit = task.fields.get("unit", "")
        speed = task.finished_speed or task.speed
        if speed is None:
            return Text(f"– {unit}/s")
        if unit == "bytes":
            return Text(f"{speed / 2**20:.1f} MiB/s")
        return Text(f"{speed:.1f} {unit}/s" if speed < 100 else f"{speed:,.0f} {unit}/s")


class _Counted(ProgressColumn):
    """A column of bars; nothing where nothing is counted."""

    def __init__(self, column: ProgressColumn, *, counted: bool = True) -> None:
        super().__init__(Column(no_wrap=True))
        self._column, self._is_counted = column, counted

    def render(self, task: Task) -> object:  # type: ignore[override]
        return self._column(task) if (task.total is not None) == self._is_counted else Text("")


class Activity(logging.Handler):
    """Shows what is being done until it is stopped.

    Args:
        console: standard error.
        patience: seconds without a new line after which a log gets one.
    """

    def __init__(self, console: Console, patience: float | None = None) -> None:
        super().__init__(logging.INFO)
        self.console = console
        self._patience = PATIENCE if patience is None else patience
        self._doing, self._since = "starting", time.monotonic()
        self._live: Progress | None = None
        self._is_shown = False
        self._stopped = threading.Event()

    def start(self) -> None:
        """Begins to show."""
        LOGGER.addHandler(self)
        LOGGER.setLevel(logging.INFO)
        if self.console.quiet:
            return
        if self.console.is_terminal:
            self._live = _bars(self.console)
            self._live.add_task(self._doing, total=None, unit="", note="")
            LIVE.append((self.console, self._pause))
            self._resume()
        else:
            threading.Thread(target=self._remind, daemon=True).start()

    def stop(self) -> None:
        """Removes the display."""
        LOGGER.removeHandler(self)
        self._stopped.set()
        self._pause()
        LIVE[:] = [each for each in LIVE if each[0] is not self.console]
        self._live = None

    def _pause(self) -> None:
        """Takes the display away, until something else is done."""
        if self._live is not None and self._is_shown:
            self._is_shown = False
            self._live.stop()

    def _resume(self) -> None:
        if self._live is not None and not self._is_shown:
            self._is_shown = True
            self._live.start()
            self._live.refresh()

    def emit(self, record: logging.LogRecord) -> None:
        """See `harness.base.doing.doing`."""
        self._doing, self._since = one_line(record.getMessage()), time.monotonic()
        if self._live is not None:
            self._live.reset(self._live.task_ids[0], description=self._doing)
            self._resume()

    @contextlib.contextmanager
    def bar(self, label: str, total: int, unit: str) -> Iterator[Advance]:
        """See `harness.runtime.progress.Progress`."""
        live = self._live
        if live is None:
            self._doing = one_line(label)
            with quiet(label, total, unit) as silent:
                yield silent
            return
        task = live.add_task(one_line(label), total=total, unit=unit, note="")
        self._resume()

        def advance(n: int = 1, note: str | None = None) -> None:
            if note is not None:
                live.update(task, note=one_line(note))
            live.advance(task, n)

        try:
            yield advance
        finally:
            live.refresh()
            live.remove_task(task)

    def _remind(self) -> None:
        while not self._stopped.wait(self._patience):
            seconds = time.monotonic() - self._since
            if seconds >= self._patience:
                self.console.print(Text(f"… {self._doing} ({seconds:.0f} s)"), style="dim", soft_wrap=True)


def _bars(console: Console) -> Progress:
    return Progress(
        _Counted(SpinnerColumn(), counted=False),
        TextColumn("{task.description}", markup=False, table_column=Column(no_wrap=True)),
        _Counted(BarColumn()),
        _Counted(MofNCompleteColumn()),
        _Counted(_Rate()),
        _Counted(TimeRemainingColumn()),
        _Counted(TimeElapsedColumn(), counted=False),
        TextColumn("{task.fields[note]}", style="dim", markup=False),
        console=console,
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
    )


def bars(console: Console) -> Opener:
    """Opens bars on the console, one by one; none where it is not a terminal."""
    if not console.is_terminal:
        return quiet

    @contextlib.contextmanager
    def open_bar(label: str, total: int, unit: str) -> Iterator[Advance]:
        activity = Activity(console)
        activity.start()
        try:
            with activity.bar(label, total, unit) as advance:
                yield advance
        finally:
            activity.stop()

    return open_bar
