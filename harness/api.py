"""The harness from Python: `run("bm25", "dense", dataset="./my-corpus")`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.base.files import write_text
from harness.bench.published import read_all
from harness.bench.run_rows import DEFAULT_DATASET, executor_of, opened_bench, run_rows
from harness.bench.runner import DEFAULT_DEPTH, Result
from harness.bench.store import Store
from harness.compare.decide import Decided
from harness.compare.decide import decide as decide_between_rows
from harness.compare.verdict import MARGIN
from harness.data.measures import DEFAULT
from harness.executors import Executor
from harness.methods import Method
from harness.report import markdown
from harness.report.across import Across, across
from harness.report.board import Table, tables, with_published
from harness.report.board_files import write_board
from harness.report.comparisons import with_comparisons
from harness.report.comparisons_across import compared_across
from harness.report.decision import document
from harness.report.sweep import write_sweep
from harness.rows import methods_of
from harness.runtime.context import Context, open_context
from harness.sweep.result import SweepResult
from harness.sweep.run import FinishedSweep
from harness.sweep.run import sweep as run_sweep
from harness.sweep.trial import CellResult

__all__ = [
    "DEFAULT_DATASET",
    "Board",
    "decide",
    "executor_of",
    "methods_of",
    "open_context",
    "opened_bench",
    "run",
    "sweep",
    "write_leaderboard",
]


@dataclass(frozen=True)
class Board:
    """What a run gave: one result per row and dataset, in the order done. In a notebook it shows itself as tables."""

    results: tuple[Result, ...]
    store: Store | None = None

    @property
    def tables(self) -> list[Table]:
        """One table per dataset, with intervals where the results folder has the per-query values."""
        found = tables(result.record for result in self.results)
        if self.store is None:
            return found
        found = with_comparisons(found, self.store, self.store.stored()[0])
        return with_published(found, read_all(self.store.root)[0])

    @property
    def across(self) -> Across | None:
        """The table across datasets, None for fewer than two; with intervals as `tables` has them."""
        found = tables(result.record for result in self.results)
        return compared_across(found, self.store, self.store.stored()[0]) if self.store else across(found)

    def __str__(self) -> str:
        return markdown.leaderboard(self.tables, self.across)

    def _repr_markdown_(self) -> str:
        return str(self)

    def measures(self, row: str) -> dict[str, float]:
        """Measure → mean, of the first result of that row.

        Raises:
            KeyError: no such row.
        """
        for result in self.results:
            if result.record.row == row:
                return dict(result.record.measures)
        raise KeyError(row)


def run(
    *rows: str | Method,
    dataset: str | Sequence[str] = DEFAULT_DATASET,
    measures: Sequence[str] = DEFAULT,
    depth: int = DEFAULT_DEPTH,
    results: str | Path = "results",
    context: Context | None = None,
    rerun: bool = False,
    precision: str | None = None,
    tell: Callable[[Result], None] | None = None,
    executor: str | Executor | None = None,
) -> Board:
    """Runs rows over datasets and stores their records.

    Args:
        rows: row names, expressions or methods; none runs the default rows.
        dataset: one or several, as `source/name[/split]` or a path.
        measures: in ir-measures' notation.
        depth: of the runs.
        results: folder of the records; a row already there with the same identity is not run again.
        context: seed, device, cache, progress; None takes the defaults.
        rerun: run every row again.
        precision: of encoders and cross-encoders in fp32: `auto` takes the fastest way that the golden probe lets pass.
        tell: called after each row.
        executor: where the rows are made, as `ray(workers=2)`; None makes them here, one after the other.

    Raises:
        HarnessError: bad input, a dataset that cannot be had, or an executor. What a row raises goes into its record
            instead.
    """
    made = run_rows(
        *rows,
        dataset=dataset,
        measures=measures,
        depth=depth,
        results=results,
        context=context,
        rerun=rerun,
        precision=precision,
        tell=tell,
        executor=executor,
    )
    return Board(made, Store(Path(results)))


def decide(
    dataset: str,
    rows: Sequence[str | Method] = (),
    measure: str = DEFAULT[0],
    margin: float = MARGIN,
    seeds: int = 1,
    results: str | Path = "results",
    context: Context | None = None,
    tell: Callable[[Result], None] | None = None,
) -> Decided:
    """Runs the rows of a collection, decides between them, and writes `decision.md` next to their records.

    Arguments and errors are those of `harness.compare.decide.decide`.
    """
    decided = decide_between_rows(dataset, rows, measure, margin, seeds, results, context, tell)
    write_text(decided.place, document(decided.dataset, decided.decision, decided.told))
    return decided


def sweep(
    path: str | Path,
    executor: str | Executor | None = None,
    results: str | Path = "results",
    context: Context | None = None,
    tell: Callable[[CellResult], None] | None = None,
    show: Callable[[Result], None] | None = None,
) -> list[FinishedSweep]:
    """Does what a sweep's file says, on each of its collections, and writes reports and plots into its folder.

    Arguments and errors are those of `harness.sweep.run.sweep`.
    """

    def write(found: SweepResult, folder: Path, plots: bool) -> None:
        write_sweep(found, folder, plots=plots)

    return run_sweep(path, executor, results, context, tell, show, write)


def write_leaderboard(
    results: Path, context: Context | None = None
) -> tuple[list[Table], Across | None, list[Exception]]:
    """Writes `leaderboard.md`, `.csv`, `.html` and `.tex` from the records.

    The page also shows texts, titles and grades of the collections that are on this machine; nothing is downloaded for
    it.

    Args:
        results: folder of the records.
        context: its data folders and cache; None takes the defaults.

    Returns:
        The tables, the one across datasets, and a fault for each record that could not be read (the others are shown).

    Raises:
        RecordError: the folder cannot be written.
    """
    written = write_board(results, context or open_context())
    return written.tables, written.across, [*written.faults]
