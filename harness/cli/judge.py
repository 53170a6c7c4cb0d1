"""`harness judge`: missing judgements, filled in by a model, in a table, or by people on a page."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from harness.base.errors import SettingError
from harness.cli.dataset_parameters import OneDataset
from harness.cli.declaration import Status
from harness.cli.parameters import Quiet, Resources


@dataclass(frozen=True, kw_only=True)
class Judge(OneDataset, Quiet, Resources):
    """Parameters of `harness judge`."""

    judge: Annotated[
        str | None,
        typer.Option(
            metavar="JUDGE", help='A model that judges: a row, as dense or cross_encoder, or "chat(model=…)".'
        ),
    ] = None
    serve: Annotated[bool, typer.Option("--serve", help="Let people judge on a page on this machine.")] = False
    export: Annotated[Path | None, typer.Option("--export", help="Write pairs to judge as a CSV table.")] = None
    import_: Annotated[Path | None, typer.Option("--import", help="Read the grades of a filled table.")] = None
    clicks: Annotated[
        Path | None,
        typer.Option(help="Read a log of clicks: a table with query, document, position, clicks, views."),
    ] = None
    annotator: Annotated[str, typer.Option(help="Name of the person who fills the table.")] = ""
    number: Annotated[int | None, typer.Option("--number", "-n", min=1, help="Pairs at most. Default: all.")] = None
    pool_depth: Annotated[int, typer.Option(min=1, help="Documents of each row on the board for each query.")] = 10
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Folder of a copy with the labels; needed if the dataset is not a made one."),
    ] = None
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port of the page. Default: a free one.")] = 0


def judge(parameters: Judge) -> Status:
    """Fill in missing judgements from the pool of the rows on the board; without an option, show what is missing."""
    from harness import api
    from harness.cli.session import open_session

    session = open_session(parameters)
    chosen = [parameters.judge, parameters.serve or None, parameters.export, parameters.import_, parameters.clicks]
    if sum(each is not None for each in chosen) > 1:
        raise SettingError("name one of --judge, --serve, --export, --import and --clicks.")
    work = api.open_work(
        parameters.one_dataset, parameters.out, parameters.pool_depth, parameters.results, session.context
    )
    if parameters.judge is not None:
        added = api.judged_by_machine(work, parameters.judge, parameters.number, session.context, session.err.say)
        session.say([f"{added:,} labels added"])
    elif parameters.export is not None:
        most = api.judged_to_table(work, parameters.export, parameters.annotator, parameters.number, session.context)
        session.say([f"{most:,} pairs to judge are in {parameters.export}; fill the column grade with 0 to 3"])
    elif parameters.import_ is not None:
        added = api.judged_from_table(work, parameters.import_, parameters.annotator)
        session.say([f"{added:,} labels added"])
    elif parameters.clicks is not None:
        clicked = api.judged_from_clicks(work, parameters.clicks)
        session.say([f"{len(clicked.labels):,} labels added; {clicked.sentence}"])
    elif parameters.serve:
        with api.judged_lock(work.target):
            server = api.judging_server(work, session.context, parameters.port)
            session.say([f"open http://127.0.0.1:{server.server_address[1]}/ in a browser; end with Ctrl-C"])
            session.wait_for_people()
            with contextlib.suppress(KeyboardInterrupt), server:
                server.serve_forever(0.1)
    session.say(work.lines())
    return Status.OK
