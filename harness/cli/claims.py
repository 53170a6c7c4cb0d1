"""`harness claims`: what papers claim, tested on the records."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from harness.cli.declaration import Status
from harness.cli.parameters import OneMeasure, Quiet, Records
from harness.cli.table_parameters import Tables


@dataclass(frozen=True, kw_only=True)
class Claims(Records, OneMeasure, Tables, Quiet):
    """Parameters of `harness claims`."""

    out: Annotated[Path | None, typer.Option("--out", help="Also write them as Markdown, e.g. docs/claims.md.")] = None
    file: Annotated[Path | None, typer.Option("--file", help="A TOML file of claims. Default: the harness's own.")] = (
        None
    )


def claims(parameters: Claims) -> Status:
    """Test what papers claim on the records: reproduced, opposite, too small to tell, or not run and how to run it.

    Runs nothing. Exit status: 0; 1 a record could not be read; 2 bad input.
    """
    from harness import api
    from harness.claims.sheet import shown
    from harness.cli.session import open_session, report_faults

    session = open_session(parameters)
    found, faults = api.claims(parameters.results, parameters.one_measure, parameters.out, parameters.file)
    session.show(shown(found, parameters.one_measure))
    report_faults(faults)
    if parameters.out is not None:
        session.remark([f"wrote {parameters.out}"])
    return Status.FAILED if faults else Status.OK
