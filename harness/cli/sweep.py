"""`harness sweep`: many settings tried on dev, the best one reported on test."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from harness.cli.declaration import Status
from harness.cli.parameters import Executed, Quiet, Resources


@dataclass(frozen=True, kw_only=True)
class Sweep(Executed, Quiet, Resources):
    """Parameters of `harness sweep`."""

    file: Annotated[Path, typer.Argument(metavar="FILE", help="The sweep's TOML file; docs/sweeps.md describes it.")]
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Estimate time and cost; run nothing.")] = False


def sweep(parameters: Sweep) -> Status:
    """Try many settings on dev, choose the best there, and report it on test; continues an interrupted sweep.

    Exit status: 0 done; 1 a row failed, or the chosen one has no scores; 2 bad input; 3 every row was skipped.
    """
    from harness import api
    from harness.cli.session import open_session
    from harness.executors.local import Local
    from harness.report import messages, terminal
    from harness.report.sweep_sentences import sentences

    executor = api.executor_of(parameters.executor) or Local()
    session = open_session(parameters)
    if parameters.dry_run:
        for dataset, parts in api.plan_sweep(parameters.file, parameters.results, session.context).items():
            session.out.print(terminal.planned(dataset, parts, executor.dollars))
        return Status.OK

    tries, rows = messages.trial_printer(session.err), messages.row_printer(session.err)
    failed = False
    for swept in api.sweep(parameters.file, executor, parameters.results, session.context, tries, rows):
        session.out.print(terminal.sweep(swept.found))
        session.out.print()
        messages.print_sentences(session.out, sentences(swept.found))
        session.say([f"\nthe sweep is in {swept.folder / 'sweep.md'}"])
        failed = failed or swept.failed
    session.update_leaderboard(parameters.results)
    return Status.FAILED if failed else Status.OK
