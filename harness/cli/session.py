"""What a command works with: the screens it prints to, and the context of its parameters."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness import api
from harness.base.plain import one_line
from harness.cli.parameters import CacheFolder, Folders, OnDevice, Quiet, Resources, Seeded
from harness.cli.progress import CURRENT, bars
from harness.cli.table_parameters import Tables
from harness.report.screen import Screen, screens
from harness.report.sheet_formats import Shown
from harness.report.sheets import show
from harness.runtime.context import Context


@dataclass(frozen=True)
class Session:
    """Screens and context of a command.

    Args:
        out: standard output, for results.
        err: standard error, for progress.
        context: of the parameters.
        format: of tables, see `harness.report.sheets.show`.
        verbose: whether all rows and notes are shown.
    """

    out: Screen
    err: Screen
    context: Context
    format: str = "text"
    verbose: bool = False

    def say(self, lines: Iterable[str]) -> None:
        """Prints lines as they are."""
        for line in lines:
            self.out.say(line)

    def show(self, shown: Shown) -> None:
        """Prints tables and sentences in the form that the parameters name."""
        show(self.out, shown, self.format, verbose=self.verbose)

    def remark(self, lines: Iterable[str]) -> None:
        """Prints where results are; to standard error if standard output is for another program."""
        for line in lines:
            (self.out if self.format == "text" else self.err).say(line)

    def wait_for_people(self) -> None:
        """Ends the display of what is being done: from now on the command waits for people."""
        activity = CURRENT.get()
        if activity is not None:
            activity.stop()

    def update_leaderboard(self, results: Path) -> None:
        """Writes the board's files if a record has changed, and reports the records that it leaves out."""
        report_faults(api.update_leaderboard(results, self.context))


def open_session(parameters: CacheFolder) -> Session:
    """Opens the screens and the context of a command; settings that it does not declare take their defaults."""
    out, err = screens(isinstance(parameters, Quiet) and parameters.quiet)
    activity = CURRENT.get()
    if activity is not None and isinstance(activity.console, Screen):
        err = activity.console
    seeded = parameters if isinstance(parameters, Seeded) else Seeded()
    on_device = parameters if isinstance(parameters, OnDevice) else OnDevice()
    resources = parameters if isinstance(parameters, Resources) else Resources()
    context = api.open_context(
        seed=seeded.seed,
        device=on_device.device,
        batch_tokens=resources.batch_tokens,
        memory=resources.memory,
        cache_dir=parameters.cache_dir,
        data_dirs=parameters.data_dir if isinstance(parameters, Folders) else (),
        progress=bars(err) if activity is None else activity.bar,
    )
    tables = parameters if isinstance(parameters, Tables) else Tables()
    return Session(out, err, context, tables.format.value, tables.verbose)


def report_faults(faults: Sequence[Exception]) -> None:
    """Reports records that the board leaves out, also with `--quiet`."""
    for fault in faults:
        Screen(stderr=True).say(f"left out of the board: {one_line(str(fault))}", "red")
