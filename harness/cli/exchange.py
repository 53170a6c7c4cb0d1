"""`harness export` and `harness import`: formats of other tools."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from harness.base import defaults
from harness.cli.dataset_parameters import DefaultDataset, OneDataset
from harness.cli.declaration import Status
from harness.cli.parameters import Folders, NamedRows, OnDevice, Quiet, Records, Seeded, To


class Topics(StrEnum):
    """Formats of TREC topics."""

    tsv = "tsv"
    xml = "xml"
    sgml = "sgml"


@dataclass(frozen=True, kw_only=True)
class ExportBeir(OneDataset, Quiet, Folders):
    """Parameters of `harness export beir`."""

    to: To


def export_beir(parameters: ExportBeir) -> Status:
    """Write a dataset in BEIR's format: corpus.jsonl, queries.jsonl, qrels/<split>.tsv."""
    from harness import api
    from harness.cli.session import open_session

    session = open_session(parameters)
    session.say(api.export_beir(parameters.one_dataset, parameters.to, session.context))
    return Status.OK


@dataclass(frozen=True, kw_only=True)
class ExportTrec(OneDataset, NamedRows, Quiet, Seeded):
    """Parameters of `harness export trec`."""

    to: To
    method: Annotated[
        list[str], typer.Option("--method", "-m", metavar="ROW", help="A row whose stored run to write; repeatable.")
    ] = field(default_factory=list)
    topics: Annotated[Topics, typer.Option(help="Format of the topics.")] = Topics.tsv


def export_trec(parameters: ExportTrec) -> Status:
    """Write topics, qrels and stored runs for trec_eval and other TREC tools."""
    from harness import api
    from harness.cli.session import open_session

    session = open_session(parameters)
    messages = api.export_trec(
        parameters.one_dataset,
        parameters.spelled(*parameters.method),
        parameters.to,
        parameters.topics.value,
        parameters.seed,
        parameters.results,
        session.context,
    )
    session.say(messages)
    return Status.OK


@dataclass(frozen=True, kw_only=True)
class ExportMteb(NamedRows, Quiet):
    """Parameters of `harness export mteb`."""

    to: To
    dataset: Annotated[
        list[str],
        typer.Option(
            "--dataset",
            "-d",
            metavar="DATASET",
            help="Full name of a dataset with its split; repeatable. Default: all.",
        ),
    ] = field(default_factory=list)
    method: Annotated[
        list[str], typer.Option("--method", "-m", metavar="ROW", help="A row; repeatable. Default: all.")
    ] = field(default_factory=list)
    results: Annotated[Path, typer.Option("--results", help="Folder of the records.")] = defaults.RESULTS


def export_mteb(parameters: ExportMteb) -> Status:
    """Write records as result files that MTEB loads; needs mteb."""
    from harness import api
    from harness.report.screen import screens

    out, _ = screens(parameters.quiet)
    rows = parameters.spelled(*parameters.method)
    for line in api.export_mteb(parameters.dataset, rows, parameters.to, parameters.results):
        out.say(line)
    return Status.OK


@dataclass(frozen=True, kw_only=True)
class ExportModel(DefaultDataset, NamedRows, Quiet, OnDevice):
    """Parameters of `harness export model`."""

    row: Annotated[str, typer.Argument(metavar="ROW", help="A row with one trained model, e.g. dense+supervised.")]
    to: To


def export_model(parameters: ExportModel) -> Status:
    """Copy a row's trained model into a folder, with the reported scores in its card; runs the row if necessary."""
    from harness import api
    from harness.cli.session import open_session
    from harness.report import messages

    session = open_session(parameters)
    lines = api.export_model(
        parameters.spelled(parameters.row)[0],
        parameters.one_dataset,
        parameters.seed,
        parameters.to,
        parameters.results,
        session.context,
        messages.row_printer(session.err),
    )
    session.say(lines)
    return Status.OK


@dataclass(frozen=True, kw_only=True)
class Import(Quiet, Records):
    """Parameters of `harness import`."""

    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="PATHS", help="MTEB result files or folders, or JSON of scores as in harness/suites/published."
        ),
    ]


def import_(parameters: Import) -> Status:
    """Add published scores to the board, marked as published."""
    from harness import api
    from harness.cli.session import open_session

    session = open_session(parameters)
    messages = api.import_published(parameters.paths, parameters.results)
    session.update_leaderboard(parameters.results)
    session.say(messages)
    return Status.OK
