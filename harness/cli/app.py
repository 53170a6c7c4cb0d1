"""The command line: `harness run | decide | validate | sweep | compare | audit | accept | leaderboard | list | export | …`.

Exit status: 0 done; 1 a row failed, or a collection or cache is not sound; 2 bad input; 3 every row asked for was
skipped; 4 a verdict of tied; 130 interrupted. This file only reads arguments, so that `harness --help` answers at once;
`commands.py` does the work, and `listing.py` that of `harness list`.
"""

from __future__ import annotations

import sys
from enum import StrEnum
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer

import harness
from harness.base.errors import HarnessError, NoFigures, SettingError, storage_problem
from harness.base.plain import one_line
from harness.cli.options import Options
from harness.report.streams import finish_output, prepare_streams

app = typer.Typer(
    help="Compare BM25, dense, hybrid and re-ranking rows over judged collections, with figures one can believe.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
data = typer.Typer(help="Look after collections: check, fetch.", no_args_is_help=True)
cache = typer.Typer(help="Look after the cache: ls, verify, gc.", no_args_is_help=True)
export = typer.Typer(help="Write what other tools read: beir, trec, mteb, model.", no_args_is_help=True)
app.add_typer(export, name="export")
app.add_typer(data, name="data")
app.add_typer(cache, name="cache")

Dataset = Annotated[
    list[str] | None,
    typer.Option(
        "--dataset", "-d", help="source/name, source/name/split or a folder as ./mine; repeat. Default: stdlib/code."
    ),
]
Rows = Annotated[
    list[str] | None,
    typer.Option(
        "--method",
        "-m",
        help='A row: bm25, "bm25(k1=1.2)>>dense", dense+supervised, run/my.trec, or recipes. Default: default.',
    ),
]
Measures = Annotated[
    list[str] | None,
    typer.Option("--measure", help="In ir-measures' notation; repeat. Default: nDCG@10 R@100 RR@10 AP@100."),
]
Results = Annotated[Path, typer.Option("--results", help="Folder of the records.")]
DataDir = Annotated[
    list[Path] | None, typer.Option("--data-dir", help="Folder of BEIR collections; goes before HARNESS_DATA.")
]
CacheDir = Annotated[
    Path | None, typer.Option("--cache-dir", help="Cache folder; default HARNESS_CACHE or the user's cache.")
]
DatasetArgument = Annotated[
    str | None,
    typer.Argument(metavar="DATASET", help="source/name, source/name/split or a folder as ./mine; or give --dataset."),
]
DatasetOption = Annotated[list[str] | None, typer.Option("--dataset", "-d", help="The same as DATASET.")]
EMBEDDED = "stdlib/code"
"""The collection of commands that can do without a named one: it is built from Python's own library."""
OneMeasure = Annotated[list[str] | None, typer.Option("--measure", help="In ir-measures' notation. Default: nDCG@10.")]
Seed = Annotated[int, typer.Option(min=0, help="Of every random stream.")]
Device = Annotated[str | None, typer.Option(help="cpu, cuda, cuda:1, mps; default: torch's choice.")]
BatchTokens = Annotated[
    int | None, typer.Option(min=1, help="Tokens that go through a model at once; lower it if memory runs out.")
]
Precision = Annotated[
    str | None,
    typer.Option(
        envvar="HARNESS_PRECISION",
        help="Of dense rows and cross-encoders in fp32: auto (the fastest that a probe lets pass), fp32, bf16, fp16, int8.",
    ),
]
MemoryBudget = Annotated[
    str | None,
    typer.Option(
        "--memory", help="What steps may take for what grows with a collection: 2GB. Default: HARNESS_MEMORY or 2GiB."
    ),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Say only what failed.")]
Where = Annotated[
    str | None,
    typer.Option("--executor", help="Where rows are made: processes, ray(workers=4), …; default: this process."),
]


To = Annotated[Path, typer.Option("--to", help="Folder to write to.")]


class Topics(StrEnum):
    """Forms of TREC's topics."""

    tsv = "tsv"
    xml = "xml"
    sgml = "sgml"


class Kind(StrEnum):
    """What `harness list` lists."""

    rows = "rows"
    methods = "methods"
    recipes = "recipes"
    losses = "losses"
    generators = "generators"
    datasets = "datasets"
    feedback = "feedback"
    fusions = "fusions"
    analyzers = "analyzers"
    indexes = "indexes"
    engines = "engines"
    executors = "executors"
    searches = "searches"


def _version(asked: bool) -> None:
    if asked:
        import platform
        from importlib.metadata import PackageNotFoundError, version

        from harness.report.screen import Screen

        names = ("torch", "sentence-transformers", "ir-measures")
        installed = []
        for name in names:
            try:
                installed.append(f"{name} {version(name)}")
            except PackageNotFoundError:
                installed.append(f"{name} not installed")
        Screen().say(
            f"retrieval-harness {harness.__version__} (Python {platform.python_version()}, {', '.join(installed)})"
        )
        raise typer.Exit


@app.callback()
def top(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_version, is_eager=True, help="Print the version, and those of main libraries."
        ),
    ] = False,
) -> None:
    """The options of the command itself."""


@app.command()
def run(
    dataset: Dataset = None,
    method: Rows = None,
    measure: Measures = None,
    depth: Annotated[int, typer.Option(min=1, help="Documents kept per query.")] = 1000,
    seed: Seed = 0,
    results: Results = Path("results"),
    data_dir: DataDir = None,
    cache_dir: CacheDir = None,
    device: Device = None,
    batch_tokens: BatchTokens = None,
    memory: MemoryBudget = None,
    rerun: Annotated[bool, typer.Option("--rerun", help="Run rows again whose records are up to date.")] = False,
    plan: Annotated[bool, typer.Option("--plan", help="Print the steps and who shares them; run nothing.")] = False,
    precision: Precision = None,
    quiet: Quiet = False,
    executor: Where = None,
) -> None:
    """Run rows over datasets, store their records and print the leaderboard."""
    options = Options(results, data_dir or [], cache_dir, seed, device, batch_tokens, quiet, executor, memory)
    _do("run", dataset or [], method or [], measure or [], depth, rerun, plan, precision, options)


@app.command()
def validate(
    row: Annotated[str, typer.Argument(help='The row that is validated, as dense+supervised or "bm25(k1=1.2)".')],
    baseline: Annotated[list[str], typer.Option("--baseline", "-b", help="A row it is held against; repeat.")],
    dataset: DatasetArgument = None,
    dataset_option: DatasetOption = None,
    measure: OneMeasure = None,
    seeds: Annotated[int, typer.Option(min=1, help="Seeds that a trained row is trained with.")] = 1,
    seed: Seed = 0,
    margin: Annotated[float, typer.Option(help="Differences up to this do not matter.")] = 0.01,
    results: Results = Path("results"),
    data_dir: DataDir = None,
    cache_dir: CacheDir = None,
    device: Device = None,
    batch_tokens: BatchTokens = None,
    memory: MemoryBudget = None,
    quiet: Quiet = False,
) -> None:
    """Say whether a row is better than baselines, with the figures behind it.

    Status: 0 better than or equivalent to each; 1 worse than one, or a row failed; 2 bad input; 3 a row was skipped; 4
    it is tied with one.
    """
    options = Options(results, data_dir or [], cache_dir, seed, device, batch_tokens, quiet, memory=memory)
    _do("validate", row, baseline, _dataset(dataset, dataset_option, EMBEDDED), _one(measure), seeds, margin, options)


@app.command()
def decide(
    dataset: DatasetArgument = None,
    dataset_option: DatasetOption = None,
    method: Rows = None,
    measure: OneMeasure = None,
    margin: Annotated[float, typer.Option(help="Differences up to this do not matter.")] = 0.01,
    seeds: Annotated[int, typer.Option(min=1, help="Seeds that a trained row is trained with.")] = 1,
    seed: Seed = 0,
    results: Results = Path("results"),
    data_dir: DataDir = None,
    cache_dir: CacheDir = None,
    device: Device = None,
    batch_tokens: BatchTokens = None,
    memory: MemoryBudget = None,
    quiet: Quiet = False,
) -> None:
    """Run the board of a collection and say which row to take: the best, its equals, the cheapest that comes close.

    Status: 0 decided; 1 a row failed, the others are told; 2 bad input; 3 every row was skipped.
    """
    options = Options(results, data_dir or [], cache_dir, seed, device, batch_tokens, quiet, memory=memory)
    _do("decide", _dataset(dataset, dataset_option), method or [], _one(measure), margin, seeds, options)


@app.command()
def sweep(
    file: Annotated[Path, typer.Argument(help="The sweep's TOML file: docs/sweeps.md says what stands in it.")],
    executor: Where = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what it will take; measure nothing.")] = False,
    seed: Seed = 0,
    results: Results = Path("results"),
    data_dir: DataDir = None,
    cache_dir: CacheDir = None,
    device: Device = None,
    batch_tokens: BatchTokens = None,
    memory: MemoryBudget = None,
    quiet: Quiet = False,
) -> None:
    """Try many settings on dev, choose one there, and report that one on test. A killed sweep goes on where it was.

    Status: 0 done; 1 a row failed, or the chosen one gave no figures; 2 bad input; 3 every row was skipped.
    """
    options = Options(results, data_dir or [], cache_dir, seed, device, batch_tokens, quiet, executor, memory)
    _do("sweep", file, dry_run, options)


@app.command()
def compare(
    row: Annotated[str, typer.Argument(help="A row.")],
    other: Annotated[str, typer.Argument(help="The row it is compared with.")],
    dataset: DatasetArgument = None,
    dataset_option: DatasetOption = None,
    measure: OneMeasure = None,
    top: Annotated[int, typer.Option(min=0, help="So many queries on which each gains most.")] = 10,
    seeds: Annotated[int, typer.Option(min=1, help="Seeds that a trained row is trained with.")] = 1,
    seed: Seed = 0,
    results: Results = Path("results"),
    data_dir: DataDir = None,
    cache_dir: CacheDir = None,
    device: Device = None,
    batch_tokens: BatchTokens = None,
    memory: MemoryBudget = None,
    quiet: Quiet = False,
) -> None:
    """Compare two rows query by query, and show the queries on which each gains most."""
    options = Options(results, data_dir or [], cache_dir, seed, device, batch_tokens, quiet, memory=memory)
    _do("compare", row, other, _dataset(dataset, dataset_option, EMBEDDED), _one(measure), top, seeds, options)


@app.command()
def audit(
    row: Annotated[str, typer.Argument(help="The row, as bm25>>dense or run/my.trec.")],
    dataset: DatasetArgument = None,
    dataset_option: DatasetOption = None,
    measure: OneMeasure = None,
    seed: Seed = 0,
    results: Results = Path("results"),
    data_dir: DataDir = None,
    cache_dir: CacheDir = None,
    device: Device = None,
    batch_tokens: BatchTokens = None,
    memory: MemoryBudget = None,
    quiet: Quiet = False,
) -> None:
    """Say what a row's figure rests on: ties, unanswered, unjudged, conventions; what its encoders cut, how steady they
    are.
    """
    options = Options(results, data_dir or [], cache_dir, seed, device, batch_tokens, quiet, memory=memory)
    _do("audit", row, _dataset(dataset, dataset_option, EMBEDDED), _one(measure), options)


@app.command()
def accept(
    row: Annotated[str, typer.Argument(help="The row whose new record takes the place of the stored one.")],
    why: Annotated[str, typer.Option("--why", help="The reason; it is written into the record.")],
    dataset: DatasetArgument = None,
    dataset_option: DatasetOption = None,
    seed: Seed = 0,
    new: Annotated[Path, typer.Option("--new", help="Folder of the new records.")] = Path("results.new"),
    results: Results = Path("results"),
    data_dir: DataDir = None,
    cache_dir: CacheDir = None,
) -> None:
    """Accept a deliberate change that `pytest suites/ --benchmark --against results` found, with its reason."""
    _do("accept", row, why, _dataset(dataset, dataset_option, EMBEDDED), seed, new, results, data_dir or [], cache_dir)


@app.command()
def leaderboard(
    results: Results = Path("results"),
    data_dir: DataDir = None,
    cache_dir: CacheDir = None,
    plots: Annotated[bool, typer.Option("--plots", help="Draw plots/*.svg and *.png too; needs matplotlib.")] = False,
    quiet: Quiet = False,
) -> None:
    """Regenerate leaderboard.md, .csv, .html and .tex from the records."""
    _do("leaderboard", results, data_dir or [], cache_dir, plots, quiet)


@app.command("list")
def list_(
    kind: Annotated[Kind | None, typer.Argument(help="What to list; default: everything.")] = None,
    data_dir: DataDir = None,
    cache_dir: CacheDir = None,
) -> None:
    """List rows, methods, datasets and the values their settings take."""
    _do("show", kind.value if kind else None, data_dir or [], cache_dir, module="harness.cli.listing")


@export.command("beir")
def export_beir(
    to: To,
    dataset: DatasetArgument = None,
    dataset_option: DatasetOption = None,
    data_dir: DataDir = None,
    cache_dir: CacheDir = None,
) -> None:
    """Write a dataset as a folder in BEIR's form: corpus.jsonl, queries.jsonl, qrels/<split>.tsv."""
    _do("export_beir", _dataset(dataset, dataset_option), to, data_dir or [], cache_dir)


@export.command("trec")
def export_trec(
    to: To,
    dataset: DatasetArgument = None,
    dataset_option: DatasetOption = None,
    method: Annotated[
        list[str] | None, typer.Option("--method", "-m", help="A row whose stored run is written; repeat.")
    ] = None,
    topics: Annotated[Topics, typer.Option(help="Form of the topics.")] = Topics.tsv,
    seed: Seed = 0,
    results: Results = Path("results"),
    data_dir: DataDir = None,
    cache_dir: CacheDir = None,
) -> None:
    """Write topics, qrels and stored runs as trec_eval and other TREC tools take them."""
    name = _dataset(dataset, dataset_option)
    _do("export_trec", name, method or [], to, topics.value, seed, results, data_dir or [], cache_dir)


@export.command("mteb")
def export_mteb(
    to: To,
    dataset: Annotated[
        list[str] | None, typer.Option("--dataset", "-d", help="Full name with the split; default: all.")
    ] = None,
    method: Annotated[list[str] | None, typer.Option("--method", "-m", help="A row; repeat. Default: all.")] = None,
    results: Results = Path("results"),
) -> None:
    """Write records as MTEB's result files, which MTEB loads; needs mteb."""
    _do("export_mteb", dataset or [], method or [], to, results)


@export.command("model")
def export_model(
    row: Annotated[str, typer.Argument(help="A row with one trained model, as dense+supervised.")],
    to: To,
    dataset: DatasetArgument = None,
    dataset_option: DatasetOption = None,
    seed: Seed = 0,
    results: Results = Path("results"),
    data_dir: DataDir = None,
    cache_dir: CacheDir = None,
    device: Device = None,
) -> None:
    """Copy a row's trained model into a folder, its card with the reported figures; runs the row where it must."""
    _do(
        "export_model",
        row,
        _dataset(dataset, dataset_option, EMBEDDED),
        seed,
        to,
        results,
        data_dir or [],
        cache_dir,
        device,
    )


@app.command("import")
def import_(
    paths: Annotated[
        list[Path], typer.Argument(help="MTEB's result files or folders, or JSON of figures as in suites/published.")
    ],
    results: Results = Path("results"),
    data_dir: DataDir = None,
    cache_dir: CacheDir = None,
) -> None:
    """Put figures that others published beside the measured rows of the board, marked as such."""
    _do("import_", paths, results, data_dir or [], cache_dir)


@data.command()
def check(
    dataset: DatasetArgument = None,
    dataset_option: DatasetOption = None,
    data_dir: DataDir = None,
    cache_dir: CacheDir = None,
) -> None:
    """Say what is wrong with a collection; status 1 if it cannot be used."""
    _do("check", _dataset(dataset, dataset_option), data_dir or [], cache_dir)


@data.command()
def fetch(dataset: DatasetArgument = None, dataset_option: DatasetOption = None, cache_dir: CacheDir = None) -> None:
    """Download a BEIR collection, as beir/scifact, verified and resumed after a break."""
    _do("fetch", _dataset(dataset, dataset_option), cache_dir)


@cache.command("ls")
def ls(cache_dir: CacheDir = None) -> None:
    """List what is kept: kind, size, age, what it is of."""
    _do("ls", cache_dir, module="harness.cli.cache")


@cache.command()
def verify(cache_dir: CacheDir = None) -> None:
    """Read everything kept and compare it with its hashes; status 1 if something is damaged."""
    _do("verify", cache_dir, module="harness.cli.cache")


@cache.command()
def gc(
    cache_dir: CacheDir = None,
    older_than: Annotated[
        float | None, typer.Option(min=0, help="Remove what was not used for this many days.")
    ] = None,
    max_size: Annotated[
        float | None, typer.Option(min=0, help="Then remove the longest unused beyond this many GiB.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would go; remove nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask; it asks only on a terminal.")] = False,
) -> None:
    """Remove damaged and unfinished things, and what --older-than and --max-size say; nothing that is not of the
    cache.
    """
    _do("gc", cache_dir, older_than, max_size, dry_run, yes, module="harness.cli.cache")


def _dataset(argument: str | None, options: list[str] | None, default: str | None = None) -> str:
    """The dataset that is named after the command or with --dataset."""
    named = list(dict.fromkeys(name for name in [argument, *(options or [])] if name))
    if len(named) > 1:
        first = named[0] if argument else f"--dataset {named[0]}"
        number = "two" if len(named) == 2 else str(len(named))
        told = " and ".join([first, *(f"--dataset {name}" for name in named[1:])])
        raise SettingError(f"{number} datasets are named, {told}; this command takes one: name one.")
    if not named and default:
        return default
    if not named:
        raise SettingError(
            "no dataset is named; name one, as beir/scifact, stdlib/code or the path of a folder, ./my-corpus."
        )
    return named[0]


def _one(measures: list[str] | None) -> str:
    """The measure that decides."""
    if measures and len(measures) > 1:
        raise SettingError(f"one measure decides, not {' and '.join(measures)}: name one.")
    return measures[0] if measures else "nDCG@10"


def _do(command: str, *arguments: Any, module: str = "harness.cli.commands") -> None:
    """Does the work of a command and ends with its status; typer itself would end an interrupted one without a word."""
    import_module("harness.report.screen").show_warnings()
    try:
        status = getattr(import_module(module), command)(*arguments)
    except KeyboardInterrupt:
        typer.secho("harness: interrupted; what was finished is kept, run the same command to go on.", err=True)
        status = 130
    raise typer.Exit(status)


def main() -> None:
    """Entry point of the `harness` command."""
    prepare_streams()
    try:
        _finished()
    except HarnessError as error:
        _fail(str(error))
        sys.exit((3 if error.skipped else 1) if isinstance(error, NoFigures) else 2)
    except OSError as error:
        told = storage_problem(error)
        if told is None:  # a defect of ours
            raise
        _fail(told)
        sys.exit(2)


def _finished() -> None:
    """Runs the command and writes what standard output still has to be given."""
    try:
        app(prog_name="harness")
    finally:
        finish_output()


def _fail(told: str) -> None:
    from harness.base.redaction import redacted

    typer.secho(f"harness: {one_line(redacted(told))}", err=True, fg=typer.colors.RED)
