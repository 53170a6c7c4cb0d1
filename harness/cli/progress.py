"""Progress bars with throughput and time left, on a terminal only."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

from harness.base.plain import one_line
from harness.runtime.progress import Advance, quiet
from harness.runtime.progress import Progress as Opener


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


def bars(console: Console) -> Opener:
    """Opens bars on the console; none where it is not a terminal."""
    if not console.is_terminal:
        return quiet

    @contextlib.contextmanager
    def open_bar(label: str, total: int, unit: str) -> Iterator[Advance]:
        note_column = TextColumn("{task.fields[note]}", style="dim", markup=False)
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            _Rate(),
            TimeRemainingColumn(),
            note_column,
        )
        with Progress(*columns, console=console, transient=True) as shown:
            task = shown.add_task(one_line(label), total=total, unit=unit, note="")

            def advance(n: int = 1, note: str | None = None) -> None:
                if note is not None:
                    shown.update(task, note=one_line(note))
                shown.advance(task, n)

            yield advance

    return open_bar
