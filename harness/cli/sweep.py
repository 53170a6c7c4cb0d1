"""`harness sweep` and `harness tune`: many settings tried on dev, the best one reported on test."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.base import defaults
from harness.cli.declaration import Status
from harness.cli.parameters import Datasets, Executed, NamedRows, OneMeasure, Quiet, Resources, Row, Seeds
from harness.cli.table_parameters import Tables

if TYPE_CHECKING:
    from harness.bench.runner import Result
    from harness.cli.session import Session
    from harness.executors import Executor
    from harness.sweep.estimate import Planned
    from harness.sweep.spec import Spec
    from harness.sweep.trial import CellResult


@dataclass(frozen=True, kw_only=True)
class Sweep(Executed, Tables, Quiet, Resources):
    """Parameters of `harness sweep`."""

    file: Annotated[Path, typer.Argument(metavar="FILE", help="The sweep's TOML file; docs/sweeps.md describes it.")]
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Estimate time and cost; run nothing.")] = False


def sweep(parameters: Sweep) -> Status:
    """Try many settings on dev, choose the best there, and report it on test; continues an interrupted sweep.

    Exit status: 0 done; 1 a row failed, or the chosen one has no scores; 2 bad input; 3 every row was skipped.
    """
    return _swept(parameters, parameters.file)


@dataclass(frozen=True, kw_only=True)
class Tune(Datasets, OneMeasure, NamedRows, Executed, Tables, Quiet, Resources):
    """Parameters of `harness tune`."""

    row: Row
    setting: Annotated[
        list[str],
        typer.Argument(metavar="SETTING=VALUES", help="k1=0.6:1.6, b=0.3,0.75 or first.k1=0.6:1.6; repeatable."),
    ]
    baseline: Annotated[
        list[str],
        typer.Option("--baseline", metavar="ROW", help="A row to compare with; repeatable. Default: the row as it is."),
    ] = field(default_factory=list)
    search: Annotated[str, typer.Option(help='Which values are tried: grid or "optuna(trials=40)".')] = "grid"
    seeds: Seeds = defaults.SEEDS
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Estimate time and cost; run nothing.")] = False


def tune(parameters: Tune) -> Status:
    """Choose settings of a row on dev, and report the chosen row on test: harness tune bm25 k1=0.6:1.6 b=0.2:0.9.

    Exit status: as `harness sweep`.
    """
    from harness import api

    row, *baselines = parameters.spelled(parameters.row, *parameters.baseline)
    chosen = (baselines, parameters.one_measure, parameters.seeds, parameters.search)
    return _swept(parameters, api.tuned(row, parameters.setting, parameters.datasets, *chosen))


def begun(
    session: Session, plans: Mapping[str, Sequence[Planned]], executor: Executor, *, dry_run: bool
) -> tuple[Callable[[CellResult], None], Callable[[Result], None]] | None:
    """Prints what a sweep will take; in a dry run as its tables, and then nothing is to be run.

    Returns:
        What prints a cell on dev and a row on test; None in a dry run.
    """
    from harness.report import messages
    from harness.report.sheet_formats import Shown
    from harness.report.sweep_sheets import planned_sheets

    sheets, sentence = planned_sheets(plans, executor.dollars)
    if dry_run:
        session.show(Shown(sheets, [sentence]))
        return None
    session.err.say(sentence)
    return messages.trial_printer(session.err), messages.row_printer(session.err)


def _swept(parameters: Sweep | Tune, what: Path | Spec) -> Status:
    """Runs a sweep and prints what was found."""
    from harness import api
    from harness.cli.session import open_session
    from harness.executors.local import Local
    from harness.report.sheet_formats import Shown
    from harness.report.sweep_sentences import sentences
    from harness.report.sweep_sheets import MOST, sweep_sheet

    executor = api.executor_of(parameters.executor) or Local()
    session = open_session(parameters)
    plans = api.plan_sweep(what, parameters.results, session.context)
    printers = begun(session, plans, executor, dry_run=parameters.dry_run)
    if printers is None:
        return Status.OK
    failed, shown = False, []
    most = MOST if session.format == "text" and not session.verbose else None
    for swept in api.sweep(what, executor, parameters.results, session.context, *printers):
        shown.append(Shown([sweep_sheet(swept.found, most)], sentences(swept.found)))
        if session.format == "text":
            session.show(shown[-1])
        session.remark([f"the sweep is in {swept.folder / 'sweep.md'}"])
        failed = failed or swept.failed
    if session.format != "text":
        sheets = [sheet for each in shown for sheet in each.sheets]
        session.show(Shown(sheets, [sentence for each in shown for sentence in each.sentences]))
    session.update_leaderboard(parameters.results)
    return Status.FAILED if failed else Status.OK
