"""`harness testset`: a test set from a corpus without judgements."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import typer

from harness.base.plain import one_line
from harness.cli.declaration import Status
from harness.cli.parameters import Quiet, Resources


@dataclass(frozen=True, kw_only=True)
class Testset(Quiet, Resources):
    """Parameters of `harness testset`."""

    __test__ = False

    corpus: Annotated[
        Path,
        typer.Argument(
            metavar="CORPUS",
            help="A folder of Markdown and text files, a BEIR folder, or one .md, .txt, .csv, .tsv, .parquet or .jsonl "
            "file.",
        ),
    ]
    out: Annotated[Path, typer.Option("--out", help="Folder to write the test set to.")]
    number: Annotated[int, typer.Option("--number", "-n", min=1, help="Queries wanted.")] = 100
    queries: Annotated[
        Path | None, typer.Option("--queries", help="A file with real queries, one a line; then none are made up.")
    ] = None
    generator: Annotated[
        list[str],
        typer.Option(
            "--generator",
            metavar="GENERATOR",
            help='What makes queries, e.g. extractive, seq2seq or "chat(model=…)"; repeatable. Default: extractive.',
        ),
    ] = field(default_factory=list)
    judge: Annotated[
        str,
        typer.Option(
            metavar="JUDGE", help='What grades documents: panel, a row, as dense or cross_encoder, or "chat(model=…)".'
        ),
    ] = "panel"
    pool: Annotated[
        list[str],
        typer.Option(
            "--pool", metavar="ROW", help="A row whose first documents are judged; repeatable. Default: bm25 and dense."
        ),
    ] = field(default_factory=list)
    pool_depth: Annotated[int, typer.Option(min=1, help="Documents of each row that are judged.")] = 10
    words: Annotated[int, typer.Option(min=0, help="Words of a chunk of a long file; 0 leaves files whole.")] = 250
    id_column: Annotated[str | None, typer.Option(help="Column of a table with the id. Default: found.")] = None
    title_column: Annotated[str | None, typer.Option(help="Column of a table with the title. Default: found.")] = None
    text_column: Annotated[str | None, typer.Option(help="Column of a table with the text. Default: found.")] = None
    plan: Annotated[bool, typer.Option("--plan", help="Print the price of hosted models; send and write nothing.")] = (
        False
    )


def testset(parameters: Testset) -> Status:
    """Make a test set from a corpus: queries, judged pools, and how far they can be trusted."""
    from harness import api
    from harness.cli.session import open_session
    from harness.collection.tables import Columns

    session = open_session(parameters)
    columns = Columns(parameters.id_column, parameters.title_column, parameters.text_column)
    made = api.testset(
        parameters.corpus,
        parameters.out,
        queries=parameters.number,
        log=parameters.queries,
        generators=parameters.generator,
        judge=parameters.judge,
        pool=parameters.pool,
        depth=parameters.pool_depth,
        words=parameters.words,
        columns=columns,
        plan=parameters.plan,
        context=session.context,
        tell=session.err.say,
    )
    if made.made is None:
        session.say([f"{made.documents:,} documents; hosted models: {made.price or 'none, so it costs nothing'}"])
        return Status.OK
    pairs = sum(map(len, made.made.pairs))
    session.say([f"{len(made.made.queries):,} queries with {pairs:,} judged pairs are in {made.out}"])
    if made.made.drops:
        session.say(["dropped: " + ", ".join(f"{count:,} {why}" for why, count in made.made.drops.items())])
    session.say(["", *(one_line(sentence.replace("`", "")) for sentence in made.trust), ""])
    session.say([f"next: harness decide {shlex.quote(str(made.out))}"])
    return Status.OK
