"""`harness run`, `leaderboard` and `list`: rows over datasets, and the board of their records."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated

import typer

from harness.base import defaults
from harness.base.errors import RecordError
from harness.cli.declaration import Parameters, Status
from harness.cli.parameters import Datasets, Executed, Folders, NamedRows, Quiet, Records, Resources, Rows, Scoring
from harness.cli.table_parameters import Tables


@dataclass(frozen=True, kw_only=True)
class Plan(Parameters):
    """Whether to run anything."""

    plan: Annotated[bool, typer.Option("--plan", help="Print the steps and the rows that share them; run nothing.")] = (
        False
    )


@dataclass(frozen=True, kw_only=True)
class NamedDatasets(Datasets):
    """Several datasets, named after the command or with `--dataset`."""

    named: Annotated[
        list[str], typer.Argument(metavar="DATASET", help="The same as --dataset, for one or several.")
    ] = field(default_factory=list)

    @property
    def datasets(self) -> list[str]:
        """The named datasets, each once, or the default one."""
        names = dict.fromkeys((*self.named, *self.dataset)) or [defaults.DATASET]
        return [self.with_splits(name) for name in names]


@dataclass(frozen=True, kw_only=True)
class Run(NamedDatasets, Rows, Scoring, Executed, Plan, Tables, Quiet, Resources):
    """Parameters of `harness run`."""


def run(parameters: Run) -> Status:
    """Run rows over datasets, store their records and print the leaderboard."""
    from harness import api

    api.executor_of(parameters.executor)
    if parameters.plan:
        return _plan(parameters)
    from harness.cli.beforehand import compile_for
    from harness.cli.session import open_session
    from harness.report import messages, terminal

    session = open_session(parameters)
    compile_for(api.methods_of(parameters.row_texts, parameters.precision))
    board = api.run(
        *parameters.row_texts,
        dataset=parameters.datasets,
        measures=parameters.measure or defaults.MEASURES,
        depth=parameters.depth,
        results=parameters.results,
        context=session.context,
        rerun=parameters.rerun,
        precision=parameters.precision,
        tell=messages.row_printer(session.err),
        executor=parameters.executor,
    )
    session.update_leaderboard(parameters.results)
    terminal.show(board.tables, session.out, board.across, session.format, verbose=session.verbose)
    session.remark([f"records, leaderboard.md and leaderboard.html in {parameters.results}"])
    return _status([result.record.status for result in board.results], parameters.quiet)


def _plan(parameters: Run) -> Status:
    from harness import api
    from harness.report.screen import Screen

    plan = api.plan(
        *parameters.row_texts, dataset=parameters.datasets, depth=parameters.depth, precision=parameters.precision
    )
    for step in plan.steps:
        Screen().say(str(step))
    return Status.OK


def _status(statuses: list[str], quiet: bool) -> Status:
    from harness.report.screen import Screen

    if "error" in statuses:
        return Status.FAILED
    if "ok" in statuses:
        return Status.OK
    if quiet:
        Screen(stderr=True).say("every row was skipped; run without --quiet to see why")
    return Status.SKIPPED


@dataclass(frozen=True, kw_only=True)
class Leaderboard(Tables, Records, Quiet):
    """Parameters of `harness leaderboard`."""

    plots: Annotated[bool, typer.Option("--plots", help="Also draw plots/*.svg and *.png; needs matplotlib.")] = False
    texts: Annotated[
        bool,
        typer.Option(
            "--texts",
            help="Show texts of all collections on the page, also of those that are for research only: a page for your "
            "own use.",
        ),
    ] = False


def leaderboard(parameters: Leaderboard) -> Status:
    """Regenerate leaderboard.md, .csv, .html and .tex from the records."""
    from harness import api
    from harness.cli.session import open_session, report_faults
    from harness.report import terminal
    from harness.report.board_files import check_is_results
    from harness.report.plots import write_plots

    results = parameters.results
    if not results.exists():
        command = ["harness", "run", "--results", str(results)]
        raise RecordError(f"there is no folder {results}; `{shlex.join(command)}` creates one.")
    if results.is_dir():  # a file is reported when the folder is opened
        check_is_results(results)
    session = open_session(parameters)
    tables, across, faults = api.write_leaderboard(results, session.context, texts=parameters.texts)
    drawn = write_plots(tables, results / "plots") if parameters.plots else []
    terminal.show(tables, session.out, across, session.format, verbose=session.verbose)
    report_faults(faults)
    plots = f", {len(drawn)} plots in {results / 'plots'}" if drawn else ""
    session.remark([f"wrote {results / 'leaderboard.md'}, .csv, .html and .tex{plots}"])
    return Status.FAILED if faults else Status.OK


class Kind(StrEnum):
    """What `harness list` lists."""

    rows = "rows"
    methods = "methods"
    recipes = "recipes"
    losses = "losses"
    measures = "measures"
    generators = "generators"
    judges = "judges"
    datasets = "datasets"
    feedback = "feedback"
    fusions = "fusions"
    analyzers = "analyzers"
    indexes = "indexes"
    engines = "engines"
    executors = "executors"
    searches = "searches"


@dataclass(frozen=True, kw_only=True)
class List(Tables, NamedRows, Folders):
    """Parameters of `harness list`."""

    kind: Annotated[Kind | None, typer.Argument(metavar="KIND", help="What to list. Default: everything.")] = None


def list_(parameters: List) -> Status:
    """List rows, methods, datasets and everything else that a setting can name."""
    from harness.cli import listing
    from harness.report.screen import screens
    from harness.report.sheet_formats import Shown
    from harness.report.sheets import show

    kind = parameters.kind.value if parameters.kind else None
    sheets = listing.listed(kind, parameters.data_dir, parameters.cache_dir, parameters.rows_file)
    show(screens()[0], Shown(sheets), parameters.format.value, verbose=parameters.verbose)
    return Status.OK
