"""`harness data`: collections checked and downloaded."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import Annotated

import typer

from harness.base.errors import Unavailable
from harness.cli.dataset_parameters import OneDataset
from harness.cli.declaration import Status
from harness.cli.parameters import CacheFolder, Folders, Quiet
from harness.cli.table_parameters import Tables


@dataclass(frozen=True, kw_only=True)
class Check(OneDataset, Tables, Folders):
    """Parameters of `harness data check`."""

    encoder: Annotated[
        str, typer.Option("--encoder", metavar="ROW", help="Row whose encoder documents may be too long for.")
    ] = "dense"


def check(parameters: Check) -> Status:
    """List the errors of a dataset; exit status 1 if it is not usable."""
    from harness import api
    from harness.cli.session import open_session
    from harness.report.check_sheets import shown

    session = open_session(parameters)
    report = api.check(parameters.one_dataset, session.context)
    found = None
    if report.usable:
        with contextlib.suppress(Unavailable):  # a model that is not here is no fault of the collection
            found = api.lengths(parameters.one_dataset, parameters.encoder, session.context)
    session.show(shown(report, "" if found is None else str(found)))
    return Status.OK if report.usable else Status.FAILED


@dataclass(frozen=True, kw_only=True)
class Fetch(OneDataset, Quiet, CacheFolder):
    """Parameters of `harness data fetch`."""


def fetch(parameters: Fetch) -> Status:
    """Download a BEIR dataset, e.g. beir/scifact; verifies its checksum and resumes an interrupted download."""
    from harness import api
    from harness.cli.session import open_session

    session = open_session(parameters)
    folder = api.fetch(parameters.one_dataset, session.context)
    session.say([f"{parameters.one_dataset} is in {folder}"])
    return Status.OK
