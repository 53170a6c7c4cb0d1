"""The command line: `harness run | decide | validate | sweep | compare | audit | leaderboard | list | doctor | …`.

Exit status: see `Status`. The modules of the commands declare parameters, and import what does the work only when a
command runs, so that `harness --help` answers at once.
"""

from __future__ import annotations

import sys
from typing import Annotated

import typer

import harness
from harness.base.collector import collect_rarely
from harness.base.errors import HarnessError, NoScores, storage_problem
from harness.base.plain import one_line
from harness.cli import board, cache, claims, data, doctor, exchange, judge, recipes, sweep, testset, verdicts
from harness.cli.declaration import Status, add_command
from harness.report.streams import finish_output, prepare_streams

app = typer.Typer(
    help="Compare BM25, dense, hybrid and re-ranking retrieval on judged collections, with scores you can trust.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
data_app = typer.Typer(help="Check and download datasets.", no_args_is_help=True)
cache_app = typer.Typer(help="List, verify and clear the cache.", no_args_is_help=True)
export_app = typer.Typer(help="Export datasets, runs, results and models for other tools.", no_args_is_help=True)

add_command(app, board.run)
add_command(app, testset.testset)
add_command(app, judge.judge)
add_command(app, verdicts.decide)
add_command(app, verdicts.validate)
add_command(app, verdicts.compare)
add_command(app, verdicts.audit)
add_command(app, claims.claims)
add_command(app, sweep.sweep)
add_command(app, sweep.tune)
add_command(app, recipes.recipes)
add_command(app, board.leaderboard)
add_command(app, board.list_, "list")
add_command(app, verdicts.accept)
add_command(app, exchange.import_, "import")
add_command(app, doctor.doctor)
app.add_typer(export_app, name="export")
app.add_typer(data_app, name="data")
app.add_typer(cache_app, name="cache")
add_command(export_app, exchange.export_beir, "beir")
add_command(export_app, exchange.export_trec, "trec")
add_command(export_app, exchange.export_mteb, "mteb")
add_command(export_app, exchange.export_model, "model")
add_command(data_app, data.check)
add_command(data_app, data.fetch)
add_command(cache_app, cache.ls)
add_command(cache_app, cache.verify)
add_command(cache_app, cache.gc)


def _print_version(wanted: bool) -> None:
    if not wanted:
        return
    import platform
    from importlib.metadata import PackageNotFoundError, version

    from harness.report.screen import Screen

    versions = [f"Python {platform.python_version()}"]
    for name in ("torch", "sentence-transformers", "ir-measures"):
        try:
            versions.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            versions.append(f"{name} not installed")
    Screen().say(f"retrieval-harness {harness.__version__} ({', '.join(versions)})")
    raise typer.Exit


@app.callback()
def top(
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            callback=_print_version,
            is_eager=True,
            help="Print the versions of the harness and its main libraries.",
        ),
    ] = False,
) -> None:
    """The options of `harness` itself."""


def main() -> None:
    """Entry point of the `harness` command."""
    prepare_streams()
    collect_rarely()
    try:
        _run_app()
    except HarnessError as error:
        _print_error(str(error))
        sys.exit(_status(error))
    except OSError as error:
        problem = storage_problem(error)
        if problem is None:  # a bug
            raise
        _print_error(problem)
        sys.exit(Status.BAD_INPUT)


def _run_app() -> None:
    """Runs the command and flushes standard output."""
    try:
        app(prog_name="harness")
    finally:
        finish_output()


def _status(error: HarnessError) -> Status:
    if not isinstance(error, NoScores):
        return Status.BAD_INPUT
    return Status.SKIPPED if error.skipped else Status.FAILED


def _print_error(message: str) -> None:
    from harness.base.redaction import redacted

    typer.secho(f"harness: {one_line(redacted(message))}", err=True, fg=typer.colors.RED)
