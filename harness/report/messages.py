"""What the terminal prints of each row when it is done, of trials, verdicts and decisions.

Text from data is never markup: style is given to `Text`.
"""

from __future__ import annotations

from collections.abc import Callable

from rich.text import Text

from harness.base.plain import one_line
from harness.bench.row_names import RowNames, shown
from harness.bench.runner import Result
from harness.compare.verdict import Verdict
from harness.report import formats
from harness.report.board import tables
from harness.report.screen import Screen
from harness.report.sheets import say
from harness.sweep.trial import CellResult


def row_printer(err: Screen) -> Callable[[Result], None]:
    """Prints each row's score when it is done; failures also if the screen is quiet."""

    def show(result: Result) -> None:
        record = result.record
        line = Text.assemble((one_line(shown(record)), "bold"), f" on {one_line(record.dataset['name'])}: ")
        if record.status == "ok":
            first = tables([record])[0].measures[0]
            state = " (up to date)" if result.kept else ""
            err.say(line.append(f"{first} {formats.score(record.measures[first])}{state}"))
            return
        problem = record.problem or {}
        details = f"{problem.get('reason', '')} {problem.get('remedy', '')}".strip()
        skipped = record.status == "skipped"
        line.append(record.status, "yellow" if skipped else "red").append(f": {one_line(details)}")
        (err if skipped else Screen(stderr=True)).say(line)

    return show


def trial_printer(err: Screen) -> Callable[[CellResult], None]:
    """The same for each setting that a sweep tries on dev."""

    def show(done: CellResult) -> None:
        place = f"{done.number}/{done.total} " if done.total else ""
        name = RowNames.of_rows([done.row])(done.row)
        line = Text.assemble((place, "dim"), (one_line(name), "bold"), f", seed {done.seed}: ")
        if done.mean is not None:
            state = "up to date" if done.kept else f"{done.seconds:.0f} s"
            err.say(line.append(f"{formats.score(done.mean)} on dev ({state})"))
            return
        line.append(one_line(done.problem or "no scores"), "yellow" if done.skipped else "red")
        (err if done.skipped else Screen(stderr=True)).say(line)

    return show


def print_verdict(out: Screen, verdict: Verdict) -> None:
    """Prints a verdict, its first sentence bold."""
    first, *rest = verdict.sentences
    say(out, [first], "bold")
    say(out, rest, first="  ")
    out.print()
