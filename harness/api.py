"""The harness from Python: `run("bm25", "dense", dataset="./my-corpus")`; one function for each use.

The commands of `harness` call these functions, and share names and defaults with them (`harness.base.defaults`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from harness.audit.lengths import lengths
from harness.audit.row import audit
from harness.base.defaults import DATASET, DEPTH, MARGIN, MEASURES, RESULTS, SEEDS
from harness.base.errors import UnknownName
from harness.base.files import write_text
from harness.bench.plan import Plan
from harness.bench.plan import plan as plan_steps
from harness.bench.run_rows import DEFAULT_DATASET, executor_of, opened_bench, run_rows
from harness.bench.runner import Result
from harness.bench.store import Store
from harness.claims.assess import Assessment
from harness.claims.document import verdicts_page
from harness.claims.run import claims as assess_claims
from harness.collection.variant import named
from harness.compare.accept import accept
from harness.compare.decide import Decided
from harness.compare.decide import decide as decide_between_rows
from harness.compare.pairwise import compare
from harness.compare.validate import validate
from harness.data.dataset import Dataset
from harness.datacheck.collection import check
from harness.datasets.beir import fetch as fetch_beir
from harness.exchange.export import export_beir, export_model, export_mteb, export_trec
from harness.exchange.import_published import import_published
from harness.executors import Executor
from harness.judging.judging import by_machine as judged_by_machine
from harness.judging.judging import from_log as judged_from_clicks
from harness.judging.judging import from_table as judged_from_table
from harness.judging.judging import open_work
from harness.judging.judging import page_server as judging_server
from harness.judging.judging import to_table as judged_to_table
from harness.judging.target import locked as judged_lock
from harness.methods import Method
from harness.report.across import Across
from harness.report.board import Table
from harness.report.board_files import faults_of, is_written, write_board
from harness.report.decision import document
from harness.report.run_board import Board
from harness.report.run_sweep import sweep, tune
from harness.rows import methods_of
from harness.runtime.context import Context, open_context
from harness.sweep.one_line import tuned
from harness.sweep.run import plan as plan_sweep
from harness.testset.testset import make_testset as testset

__all__ = [
    "DEFAULT_DATASET",
    "Board",
    "accept",
    "audit",
    "check",
    "claims",
    "compare",
    "decide",
    "executor_of",
    "export_beir",
    "export_model",
    "export_mteb",
    "export_trec",
    "fetch",
    "import_published",
    "judged_by_machine",
    "judged_from_clicks",
    "judged_from_table",
    "judged_lock",
    "judged_to_table",
    "judging_server",
    "lengths",
    "methods_of",
    "open_context",
    "open_work",
    "opened_bench",
    "plan",
    "plan_sweep",
    "run",
    "sweep",
    "testset",
    "tune",
    "tuned",
    "update_leaderboard",
    "validate",
    "write_leaderboard",
]


def run(
    *rows: str | Method,
    dataset: str | Dataset | Sequence[str | Dataset] = DATASET,
    measures: Sequence[str] = MEASURES,
    depth: int = DEPTH,
    results: str | Path = RESULTS,
    context: Context | None = None,
    rerun: bool = False,
    precision: str | None = None,
    tell: Callable[[Result], None] | None = None,
    executor: str | Executor | None = None,
    folds: str | int | None = None,
    dev_cut: str | None = None,
) -> Board:
    """Runs rows over datasets and stores their records.

    Args:
        rows: row names, expressions or methods; without any, the default rows.
        dataset: one or several, as `source/name[/split]`, a path, or an object of `Dataset.of`.
        measures: in ir-measures' notation.
        depth: documents per query in a run.
        results: folder of the records; a row with an up-to-date record is not run again.
        context: seed, device, cache, progress; None takes the defaults.
        rerun: run every row again.
        precision: of models whose row names none. Their default, `auto`, is the fastest that passes the engine check;
            `fp32` is the reference.
        tell: called after each row.
        executor: where rows are run, e.g. `ray(workers=2)`; None runs them in this process, one after the other.
        folds: report all labelled queries in so many folds by documents, or by queries as `5-queries`: each query is
            ranked by a system that was fitted on the other folds. None takes what the dataset's name says, as
            `beir/scifact/folds-5` (`harness.collection.variant`).
        dev_cut: how dev is cut from train if a dataset has no dev split: by `documents` or by `queries`; None takes
            what the dataset's name says, else `documents`.

    Raises:
        HarnessError: bad input, a dataset that is not available, or an executor. Errors of a row go into its record.
    """
    made = run_rows(
        *rows,
        dataset=_named(dataset, folds, dev_cut),
        measures=measures,
        depth=depth,
        results=results,
        context=context,
        rerun=rerun,
        precision=precision,
        tell=tell,
        executor=executor,
    )
    return Board(made, Store(Path(results)), context)


def plan(
    *rows: str | Method,
    dataset: str | Sequence[str] = DATASET,
    depth: int = DEPTH,
    precision: str | None = None,
    folds: str | int | None = None,
    dev_cut: str | None = None,
) -> Plan:
    """The steps that `run` would take, with the rows that share each; runs nothing.

    Arguments and errors are those of `run`.
    """
    return plan_steps(methods_of(rows, precision), _named(dataset, folds, dev_cut), depth)


def _named(
    dataset: str | Dataset | Sequence[str | Dataset], folds: str | int | None, dev_cut: str | None
) -> list[str]:
    """The names of datasets, each once, with what they say about folds and dev."""
    several = [dataset] if isinstance(dataset, str | Dataset) else dataset
    names = [each.name if isinstance(each, Dataset) else each for each in several]
    return list(dict.fromkeys(named(name, folds, dev_cut) for name in names))


def decide(
    dataset: str,
    rows: Sequence[str | Method] = (),
    measure: str = MEASURES[0],
    margin: float = MARGIN,
    seeds: int = SEEDS,
    results: str | Path = RESULTS,
    context: Context | None = None,
    tell: Callable[[Result], None] | None = None,
) -> Decided:
    """Runs the rows of a collection, decides between them, and writes `decision.md` next to their records.

    Arguments and errors are those of `harness.compare.decide.decide`.
    """
    decided = decide_between_rows(dataset, rows, measure, margin, seeds, results, context, tell)
    write_text(decided.place, document(decided.dataset, decided.decision, decided.sentences))
    return decided


def claims(
    results: str | Path = RESULTS, measure: str = MEASURES[0], out: Path | None = None, path: Path | None = None
) -> tuple[list[Assessment], list[Exception]]:
    """Tests what papers claim on the records, and writes the page of verdicts if `out` is given.

    Other arguments and errors are those of `harness.claims.run.claims`.

    Returns:
        What the records say of each claim; an error for each record that cannot be read.
    """
    found, faults = assess_claims(results, measure, path)
    if out is not None:
        write_text(out, verdicts_page(found, measure))
    return found, [*faults]


def write_leaderboard(
    results: Path, context: Context | None = None, *, texts: bool = False
) -> tuple[list[Table], Across | None, list[Exception]]:
    """Writes `leaderboard.md`, `.csv`, `.html` and `.tex` from the records.

    The page also shows grades of the collections on this machine, and texts and titles of those that may be passed on;
    it downloads none.

    Args:
        results: folder of the records.
        context: its data folders and cache; None takes the defaults.
        texts: show texts and titles of all collections; such a page is for your own use.

    Returns:
        The tables, the one across datasets, and an error for each record that cannot be read (the others are shown).

    Raises:
        RecordError: the folder cannot be written.
    """
    written = write_board(Path(results), context or open_context(), texts)
    return written.tables, written.across, [*written.faults]


def update_leaderboard(results: Path, context: Context | None = None) -> list[Exception]:
    """As `write_leaderboard`, if a record has changed since the files were written; returns the errors either way."""
    context = context or open_context()
    return [*faults_of(results)] if is_written(results, context) else write_leaderboard(results, context)[2]


def fetch(dataset: str, context: Context | None = None) -> Path:
    """Downloads one of BEIR's collections; returns its folder.

    Args:
        dataset: `beir/<name>`.
        context: its data folders, cache and progress.

    Raises:
        UnknownName: not a collection of BEIR.
        HarnessError: it cannot be downloaded.
    """
    source, _, name = dataset.partition("/")
    if source != "beir" or not name:
        raise UnknownName("dataset to fetch", dataset, [], "Only beir/<name> is downloaded, as beir/scifact.")
    return fetch_beir(name, context or open_context())
