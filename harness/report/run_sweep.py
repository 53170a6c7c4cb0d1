"""A sweep with its reports: its file, or a row and what its settings may be."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from harness.base.defaults import DATASET, RESULTS, SEEDS
from harness.bench.runner import Result
from harness.executors import Executor
from harness.report.sweep import write_sweep
from harness.runtime.context import Context
from harness.sweep.one_line import tuned
from harness.sweep.result import SweepResult
from harness.sweep.run import FinishedSweep
from harness.sweep.run import sweep as run_sweep
from harness.sweep.spec import Spec
from harness.sweep.trial import CellResult


def sweep(
    path: str | Path | Spec,
    executor: str | Executor | None = None,
    results: str | Path = RESULTS,
    context: Context | None = None,
    tell: Callable[[CellResult], None] | None = None,
    show: Callable[[Result], None] | None = None,
) -> list[FinishedSweep]:
    """Runs the sweep of a TOML file on each of its collections, and writes reports and plots into its folder.

    Arguments and errors are those of `harness.sweep.run.sweep`.
    """

    def write(found: SweepResult, folder: Path, plots: bool) -> None:
        write_sweep(found, folder, plots=plots)

    return run_sweep(path, executor, results, context, tell, show, write)


def tune(
    row: str,
    *settings: str,
    dataset: str | Sequence[str] = DATASET,
    baselines: Sequence[str] = (),
    measure: str | None = None,
    seeds: int = SEEDS,
    search: str = "grid",
    executor: str | Executor | None = None,
    results: str | Path = RESULTS,
    context: Context | None = None,
    tell: Callable[[CellResult], None] | None = None,
    show: Callable[[Result], None] | None = None,
) -> list[FinishedSweep]:
    """Tries settings of a row on dev and reports the best on test: `tune("bm25", "k1=0.6:1.6", "b=0.2:0.9")`.

    Arguments and errors are those of `harness.sweep.one_line.tuned` and `sweep`.
    """
    names = [dataset] if isinstance(dataset, str) else dataset
    return sweep(tuned(row, settings, names, baselines, measure, seeds, search), executor, results, context, tell, show)
