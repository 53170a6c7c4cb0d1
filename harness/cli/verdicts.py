"""`harness validate`, `decide`, `compare`, `audit` and `accept`: what the scores of rows are worth."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from harness.base import defaults
from harness.cli.dataset_parameters import DefaultDataset, SplitDataset
from harness.cli.declaration import Status
from harness.cli.parameters import (
    Margin,
    NamedRows,
    OneMeasure,
    Quiet,
    Resources,
    Row,
    Rows,
    Seeded,
    Seeds,
)
from harness.cli.table_parameters import Tables


@dataclass(frozen=True, kw_only=True)
class Validate(DefaultDataset, OneMeasure, NamedRows, Tables, Quiet, Resources):
    """Parameters of `harness validate`."""

    row: Row
    baseline: Annotated[
        list[str], typer.Option("--baseline", "-b", metavar="ROW", help="A row to compare with; repeatable.")
    ]
    margin: Margin = defaults.MARGIN
    seeds: Seeds = defaults.SEEDS


def validate(parameters: Validate) -> Status:
    """Test whether a row is better than baselines.

    Exit status: 0 better than or equivalent to each; 1 worse than one, or a row failed; 2 bad input; 3 a row was
    skipped; 4 tied with one.
    """
    from harness import api
    from harness.cli.session import open_session
    from harness.report import messages
    from harness.report.sheet_formats import Shown
    from harness.report.verdict_sheets import verdict_sheet

    session = open_session(parameters)
    row, *baselines = parameters.spelled(parameters.row, *parameters.baseline)
    verdicts = api.validate(
        row,
        baselines,
        parameters.one_dataset,
        parameters.one_measure,
        parameters.seeds,
        parameters.margin,
        parameters.results,
        session.context,
        messages.row_printer(session.err),
    )
    sentences = [sentence for verdict in verdicts for sentence in verdict.sentences]
    if session.format == "text":
        for verdict in verdicts:
            messages.print_verdict(session.out, verdict)
        session.show(Shown([verdict_sheet(verdicts)] if len(verdicts) > 1 else []))
    else:
        session.show(Shown([verdict_sheet(verdicts)], sentences))
    findings = {verdict.finding for verdict in verdicts}
    if "worse" in findings:
        return Status.FAILED
    return Status.TIED if "cannot tell" in findings else Status.OK


@dataclass(frozen=True, kw_only=True)
class Decide(SplitDataset, Rows, OneMeasure, Tables, Quiet, Resources):
    """Parameters of `harness decide`."""

    margin: Margin = defaults.MARGIN
    seeds: Seeds = defaults.SEEDS


def decide(parameters: Decide) -> Status:
    """Run the rows of a dataset and recommend one: the best, those tied with it, and the cheapest close to it.

    Exit status: 0 decided; 1 a row failed; 2 bad input; 3 every row was skipped.
    """
    from harness import api
    from harness.cli.session import open_session
    from harness.report import messages
    from harness.report.decision import decision_sheet
    from harness.report.sheet_formats import Shown

    session = open_session(parameters)
    decided = api.decide(
        parameters.one_dataset,
        parameters.row_texts,
        parameters.one_measure,
        parameters.margin,
        parameters.seeds,
        parameters.results,
        session.context,
        messages.row_printer(session.err),
    )
    session.update_leaderboard(parameters.results)
    session.show(Shown([decision_sheet(decided.dataset, decided.decision)], decided.sentences))
    board = parameters.results / "leaderboard.html"
    session.remark([f"the decision is in {decided.place}, the board in {board}"])
    return Status.FAILED if decided.failed else Status.OK


@dataclass(frozen=True, kw_only=True)
class Compare(DefaultDataset, OneMeasure, NamedRows, Tables, Quiet, Resources):
    """Parameters of `harness compare`."""

    row: Row
    other: Annotated[str, typer.Argument(metavar="OTHER", help="The row to compare it with.")]
    top: Annotated[int, typer.Option(min=0, help="How many queries to show for each row.")] = defaults.TOP
    seeds: Seeds = defaults.SEEDS


def compare(parameters: Compare) -> Status:
    """Compare two rows query by query, and show the queries on which each gains most."""
    from harness import api
    from harness.cli.session import open_session
    from harness.report import messages
    from harness.report.sheet_formats import Shown
    from harness.report.verdict_sheets import query_sheet

    session = open_session(parameters)
    row, other = parameters.spelled(parameters.row, parameters.other)
    comparison = api.compare(
        row,
        other,
        parameters.one_dataset,
        parameters.one_measure,
        parameters.top,
        parameters.seeds,
        parameters.results,
        session.context,
        messages.row_printer(session.err),
    )
    sheets = [query_sheet(comparison)] if comparison.gains or comparison.losses else []
    if session.format == "text":
        messages.print_verdict(session.out, comparison.verdict)
        session.show(Shown(sheets))
    else:
        session.show(Shown(sheets, comparison.verdict.sentences))
    return Status.OK


@dataclass(frozen=True, kw_only=True)
class Audit(DefaultDataset, OneMeasure, NamedRows, Tables, Quiet, Resources):
    """Parameters of `harness audit`."""

    row: Row


def audit(parameters: Audit) -> Status:
    """Show what a row's score depends on: ties, unjudged documents, other evaluation conventions, truncated texts."""
    from harness import api
    from harness.cli.session import open_session
    from harness.report import messages
    from harness.report.audit_sheets import shown

    session = open_session(parameters)
    audited = api.audit(
        parameters.spelled(parameters.row)[0],
        parameters.one_dataset,
        parameters.one_measure,
        parameters.results,
        session.context,
        messages.row_printer(session.err),
    )
    session.show(shown(audited))
    return Status.OK


@dataclass(frozen=True, kw_only=True)
class Accept(DefaultDataset, NamedRows, Quiet, Seeded):
    """Parameters of `harness accept`."""

    row: Annotated[str, typer.Argument(metavar="ROW", help="The row whose stored record is replaced by the new one.")]
    why: Annotated[str, typer.Option("--why", help="The reason; it is written into the record.")]
    new: Annotated[Path, typer.Option("--new", help="Folder of the new records.")] = defaults.NEW_RESULTS


def accept(parameters: Accept) -> Status:
    """Accept an intended change that `pytest suites/ --benchmark --against results` reported."""
    from harness import api
    from harness.cli.session import open_session

    session = open_session(parameters)
    results = parameters.results
    record = api.accept(
        parameters.spelled(parameters.row)[0],
        parameters.why,
        parameters.one_dataset,
        parameters.seed,
        parameters.new,
        results,
        session.context,
    )
    changed = "; ".join(record.accepted[-1].get("changed", ()))
    details = f" (changed: {changed})" if changed else ""
    session.say([f"accepted {record.row} on {record.dataset['name']} into {results}{details}"])
    session.update_leaderboard(results)
    return Status.OK
