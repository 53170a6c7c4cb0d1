"""The options of the suites: those of `harness run`, from `harness.cli.parameters`, and the suites' own."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import pytest
import typer

from harness import api
from harness.base import defaults
from harness.base.errors import HarnessError, SettingError
from harness.base.limits import checked_depth, checked_seed
from harness.base.plain import one_line
from harness.base.redaction import redacted
from harness.choices.expression import parse
from harness.cli.parameters import Datasets, Executed, Margin, Resources, Rows, Scoring, Seeds
from harness.cli.pytest_options import read_options
from harness.data.measures import parse_measures
from harness.datasets import check_name
from harness.indexes import INDEXES, Index
from harness.methods import Method
from harness.rows import ROOMS, parse_method
from harness.runtime.context import Context
from harness.runtime.progress import Progress, quiet
from harness.sweep.spec import load as load_sweep

ENCODER = "dense"


@dataclass(frozen=True, kw_only=True)
class Suites(Datasets, Rows, Scoring, Executed, Resources):
    """Options of the suites."""

    benchmark: Annotated[
        bool, typer.Option("--benchmark", help="Run the suites; without it they are skipped.")
    ] = False
    against: Annotated[
        Path | None,
        typer.Option("--against", help="Compare new records with those of this folder; they go to <folder>.new."),
    ] = None
    baseline: Annotated[
        list[str], typer.Option("--baseline", help="Validate each row against this one; repeatable.")
    ] = field(default_factory=list)
    margin: Margin = defaults.MARGIN
    seeds: Seeds = defaults.SEEDS
    index: Annotated[list[str], typer.Option("--index", help="An index to measure, or all; repeatable.")] = field(
        default_factory=list
    )
    encoder: Annotated[
        str | None, typer.Option("--encoder", help=f"The dense row whose vectors are indexed. Default: {ENCODER}.")
    ] = None
    synthetic: Annotated[
        int, typer.Option("--synthetic", min=0, help="Measure indexes on this many random vectors.")
    ] = 0
    sweep: Annotated[list[Path], typer.Option("--sweep", help="A sweep's TOML file; repeatable.")] = field(
        default_factory=list
    )

    @property
    def active(self) -> bool:
        """Whether any suite runs."""
        return self.benchmark or bool(self.sweep)

    @property
    def methods(self) -> list[Method]:
        """The rows."""
        return api.methods_of(self.row_texts, self.precision)

    @property
    def baselines(self) -> list[str]:
        """The rows to validate against."""
        return self.spelled(*self.baseline)

    @property
    def indexes(self) -> list[Index]:
        """The named indexes, or all with their defaults; exact search first, since the others are compared with it."""
        names = self.index
        if not names or "all" in names:
            names = sorted(INDEXES.names(), key=lambda name: (name != "exact", name))
        return [parse(name, INDEXES, ROOMS) for name in dict.fromkeys(names)]

    def context(self, progress: Progress = quiet) -> Context:
        """The context of the options."""
        return api.open_context(
            seed=self.seed,
            device=self.device,
            batch_tokens=self.batch_tokens,
            memory=self.memory,
            cache_dir=self.cache_dir,
            data_dirs=self.data_dir,
            progress=progress,
        )


def options_of(config: pytest.Config) -> Suites:
    """The options that pytest was called with."""
    return read_options(config, Suites)


def check_options(config: pytest.Config) -> None:
    """Checks the options before the first expensive step.

    Raises:
        pytest.UsageError: an option is wrong.
    """
    try:
        _set_results(config)
        options = options_of(config)
        _check_values(options)
        _check_executor(options, getattr(config.option, "numprocesses", None))
        _check_against(options)
    except HarnessError as error:
        raise pytest.UsageError(one_line(redacted(str(error)))) from error


def _set_results(config: pytest.Config) -> None:
    """Without `--results`, new records go to the default folder, or next to that of `--against`."""
    against: Path | None = config.option.against
    if config.option.results is None:
        config.option.results = defaults.RESULTS if against is None else against.with_name(f"{against.name}.new")


def _check_values(options: Suites) -> None:
    checked_seed(options.seed)
    checked_depth(options.depth)
    api.methods_of([*options.row_texts, *options.baselines], options.precision)
    parse_measures(options.measure or defaults.MEASURES)
    parse_method(options.encoder or ENCODER)
    _ = options.indexes
    api.executor_of(options.executor)
    if options.active:  # otherwise no cache folder is made
        context = options.context()
        for name in options.dataset:
            check_name(name, context)
    for path in options.sweep:
        load_sweep(path)


def _check_executor(options: Suites, workers: object) -> None:
    if options.executor and workers:
        raise SettingError("--executor and -n do the same; give one of them.")


def _check_against(options: Suites) -> None:
    against = options.against
    if against is None:
        return
    if not against.is_dir():
        raise SettingError(f"--against {against}: there is no such folder.")
    if next(against.glob("*/*/seed*.json"), None) is None:
        raise SettingError(f"--against {against}: it has no records; `harness run --results {against}` makes some.")
    if options.results.resolve() == against.resolve():
        raise SettingError(
            "--against and --results name one folder; new records would replace those they are compared with."
        )
