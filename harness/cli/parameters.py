"""The parameters that commands share, each declared once: name, type, default, help and check."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import typer

from harness.base import defaults
from harness.base.defaults import check_margin, check_one_measure, check_seeds
from harness.cli.declaration import Parameters, checked
from harness.cli.plugin_files import COMMON, Plugins
from harness.cli.split_parameters import Splits

DATASET_HELP = "source/name, source/name/split or a folder, e.g. ./my-corpus."

Row = Annotated[str, typer.Argument(metavar="ROW", help='A row, e.g. bm25, dense+supervised or "bm25(k1=1.2)".')]
Seeds = Annotated[
    int, typer.Option(help="Number of training seeds of a trained row, from --seed on.", callback=checked(check_seeds))
]
Margin = Annotated[
    float,
    typer.Option(
        help="Largest difference that counts as equivalent; above 0 and below 1.", callback=checked(check_margin)
    ),
]
To = Annotated[Path, typer.Option("--to", help="Folder to write to.")]


@dataclass(frozen=True, kw_only=True)
class CacheFolder(Plugins):
    """The cache."""

    cache_dir: Annotated[
        Path | None,
        typer.Option(
            "--cache-dir",
            help="Cache folder. Default: HARNESS_CACHE or the user's cache.",
            rich_help_panel=COMMON,
        ),
    ] = None


@dataclass(frozen=True, kw_only=True)
class Folders(CacheFolder):
    """Where collections and cached results are."""

    data_dir: Annotated[
        list[Path],
        typer.Option(
            "--data-dir",
            help="Folder with BEIR collections, searched before HARNESS_DATA; repeatable.",
            metavar="PATH",
            rich_help_panel=COMMON,
        ),
    ] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Records(Folders):
    """Where records are."""

    results: Annotated[Path, typer.Option("--results", help="Folder of the records.", rich_help_panel=COMMON)] = (
        defaults.RESULTS
    )


@dataclass(frozen=True, kw_only=True)
class Seeded(Records):
    """Which of several records of a row."""

    seed: Annotated[int, typer.Option(min=0, help="Random seed.", rich_help_panel=COMMON)] = defaults.SEED


@dataclass(frozen=True, kw_only=True)
class OnDevice(Seeded):
    """Where models run."""

    device: Annotated[
        str | None,
        typer.Option(help="cpu, cuda, cuda:1 or mps. Default: torch's choice.", rich_help_panel=COMMON),
    ] = None


@dataclass(frozen=True, kw_only=True)
class Resources(OnDevice):
    """What rows may use."""

    batch_tokens: Annotated[
        int | None,
        typer.Option(min=1, help="Tokens per model batch; lower it if memory runs out.", rich_help_panel=COMMON),
    ] = None
    memory: Annotated[
        str | None,
        typer.Option(
            "--memory",
            help="Memory budget for corpus-sized data, e.g. 2GB. Default: HARNESS_MEMORY or 2GiB.",
            rich_help_panel=COMMON,
        ),
    ] = None


@dataclass(frozen=True, kw_only=True)
class Quiet(Parameters):
    """How much is printed."""

    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Only print errors.", rich_help_panel=COMMON)] = False


@dataclass(frozen=True, kw_only=True)
class Executed(Parameters):
    """Where rows run."""

    executor: Annotated[
        str | None,
        typer.Option("--executor", help='Where rows run, e.g. processes or "ray(workers=4)". Default: this process.'),
    ] = None


@dataclass(frozen=True, kw_only=True)
class Datasets(Splits):
    """Several datasets."""

    dataset: Annotated[
        list[str],
        typer.Option(
            "--dataset",
            "-d",
            metavar="DATASET",
            help=f"{DATASET_HELP[:-1]}; repeatable. Default: {defaults.DATASET}.",
        ),
    ] = field(default_factory=list)

    @property
    def datasets(self) -> list[str]:
        """The named datasets, each once, or the default one."""
        return [self.with_splits(name) for name in dict.fromkeys(self.dataset)] or [self.with_splits(defaults.DATASET)]


@dataclass(frozen=True, kw_only=True)
class NamedRows(Parameters):
    """Where names of rows are looked up."""

    rows_file: Annotated[
        Path | None,
        typer.Option(
            "--rows",
            metavar="FILE",
            help="TOML file that names rows, in its table 'rows'. Default: 'tool.harness.rows' of the nearest "
            "pyproject.toml.",
            rich_help_panel=COMMON,
        ),
    ] = None

    def spelled(self, *rows: str) -> list[str]:
        """Rows, with what the table says for the names of rows in it."""
        from harness.bench.aliases import row_table, spelled

        table = row_table(self.rows_file)
        return [spelled(row, table) for row in rows]


@dataclass(frozen=True, kw_only=True)
class Rows(NamedRows):
    """Several rows."""

    method: Annotated[
        list[str],
        typer.Option(
            "--method",
            "-m",
            metavar="ROW",
            help='A row, e.g. bm25, "bm25(k1=1.2)>>dense", dense+supervised or run/my.trec, with a name before it if '
            'you like, "best=bm25>>dense"; or a group of rows: default, recipes or tuned-baselines; repeatable. '
            "Default: default.",
        ),
    ] = field(default_factory=list)

    @property
    def row_texts(self) -> list[str]:
        """The rows, with what the table says for the names of rows in it."""
        return self.spelled(*self.method)


@dataclass(frozen=True, kw_only=True)
class Scoring(Parameters):
    """How rows are run and scored."""

    measure: Annotated[
        list[str],
        typer.Option(
            "--measure",
            metavar="MEASURE",
            help=f"A measure in ir-measures' notation; repeatable. Default: {' '.join(defaults.MEASURES)}.",
        ),
    ] = field(default_factory=list)
    depth: Annotated[int, typer.Option(min=1, help="Documents per query in a run.")] = defaults.DEPTH
    precision: Annotated[
        str | None,
        typer.Option(
            envvar="HARNESS_PRECISION",
            help="Precision of models whose row names none: fp32 (the reference), bf16, fp16, int8. Default: auto, the "
            "fastest that passes the accuracy check.",
        ),
    ] = None
    rerun: Annotated[bool, typer.Option("--rerun", help="Rerun rows that have an up-to-date record.")] = False


@dataclass(frozen=True, kw_only=True)
class OneMeasure(Parameters):
    """The measure of a comparison."""

    measure: Annotated[
        list[str],
        typer.Option(
            "--measure",
            metavar="MEASURE",
            help=f"A measure in ir-measures' notation. Default: {defaults.MEASURES[0]}.",
            callback=checked(check_one_measure),
        ),
    ] = field(default_factory=list)

    @property
    def one_measure(self) -> str:
        """The named measure, or the default one."""
        return self.measure[0] if self.measure else defaults.MEASURES[0]
