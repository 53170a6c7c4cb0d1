"""What the suites report: properties of their tests, which reach pytest's summary from workers of pytest-xdist too."""

from __future__ import annotations

import dataclasses
import io
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from rich.table import Table as Grid

from harness import api
from harness.base.errors import HarnessError
from harness.bench.index_quality import IndexMeasurement, store_lines
from harness.bench.record import Record
from harness.bench.store import Store
from harness.compare.regression import Regression
from harness.compare.verdict import Verdict
from harness.report import terminal
from harness.report.board import tables
from harness.report.comparisons import with_comparisons
from harness.report.comparisons_across import compared_across
from harness.report.screen import Screen
from harness.report.sweep_sentences import sentences
from harness.suites.options import Suites, options_of
from harness.suites.selection import PublishedCell
from harness.sweep.run import FinishedSweep

RECORD, PUBLISHED, REGRESSION, VERDICT, INDEX, SWEEP, LUCENE = (
    f"harness_{name}" for name in ("record", "published", "regression", "verdict", "index", "sweep", "lucene")
)
WIDTH = 140
"""Least columns of a table."""

_reported: dict[str, list[Any]] = defaultdict(list)


class Reporter:
    """Takes what one test reports."""

    def __init__(self, record_property: Callable[[str, object], None]) -> None:
        self._put = record_property

    def record(self, record: Record) -> None:
        """A record for the leaderboard."""
        self._put(RECORD, (record.dataset["name"], record.row))

    def index(self, measured: IndexMeasurement) -> None:
        """The measurements of an index."""
        self._put(INDEX, dataclasses.asdict(measured))

    def sweep(self, swept: FinishedSweep) -> None:
        """The result of a sweep."""
        self._put(SWEEP, [*sentences(swept.found), f"the sweep is in {swept.folder / 'sweep.md'}"])

    def verdict(self, verdict: Verdict) -> None:
        """A verdict of a validation."""
        self._put(VERDICT, verdict.sentences[0])

    def lucene(self, sentence: str) -> None:
        """A comparison with Lucene."""
        self._put(LUCENE, sentence)

    def regression(self, regression: Regression) -> None:
        """The comparison of a record with the stored one."""
        self._put(REGRESSION, regression.sentence)

    def published(self, cell: PublishedCell, measure: str, score: float, status: str) -> None:
        """A score next to the published one."""
        published = cell.scores[measure]
        difference = f"{score - published:+.5f} (tolerance {cell.tolerance})"
        self._put(PUBLISHED, f"{status:4}  {cell}: {measure} {score:.5f}, published {published}, {difference}")


def collect(report: pytest.TestReport) -> None:
    """Collects the properties of a test; with pytest-xdist this runs in the process that prints the summary."""
    if report.when == "call":  # the report of the teardown repeats them
        for name, value in report.user_properties:
            _reported[name].append(value)


def print_summary(reporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Prints what the tests reported, with the leaderboard of the rows that were run, and writes the board's files."""
    options = options_of(config)
    _print_lines(reporter, "comparison with published scores", _reported[PUBLISHED])
    _print_lines(reporter, f"comparison with {options.against}", _reported[REGRESSION])
    _print_lines(reporter, "verdicts", _reported[VERDICT])
    _print_indexes(reporter, options, [IndexMeasurement(**fields) for fields in _reported[INDEX]])
    for lines in _reported[SWEEP]:
        _print_lines(reporter, "sweep", [line.replace("`", "") for line in lines])
    _print_lines(reporter, "comparison of the embedded BM25 with Lucene", _reported[LUCENE])
    if _reported[RECORD]:
        _print_leaderboard(reporter, options, {tuple(cell) for cell in _reported[RECORD]})


def _print_lines(reporter: pytest.TerminalReporter, title: str, lines: Sequence[str]) -> None:
    """Prints a section; none if it has no lines."""
    if lines:
        reporter.section(title)
        for line in lines:
            reporter.write_line(line)


def _print_leaderboard(reporter: pytest.TerminalReporter, options: Suites, cells: set[tuple[str, str]]) -> None:
    store = Store(options.results)
    stored, faults = store.stored()
    records = [each.record for each in stored]
    shown = tables(r for r in records if (r.dataset["name"], r.row) in cells and r.seed == options.seed)
    console, text = _console(reporter)
    terminal.show(with_comparisons(shown, store, stored), console, compared_across(shown, store, stored))
    reporter.section("leaderboard")
    reporter.write(text.getvalue())
    for fault in faults:
        reporter.write_line(str(fault))
    try:
        context = api.open_context(cache_dir=options.cache_dir, data_dirs=options.data_dir)
        api.update_leaderboard(options.results, context)
        reporter.write_line(f"records, leaderboard.md and leaderboard.html in {options.results}")
    except HarnessError as error:
        reporter.write_line(str(error))


def _console(reporter: pytest.TerminalReporter) -> tuple[Screen, io.StringIO]:
    text = io.StringIO()
    width = max(reporter._tw.fullwidth, WIDTH)
    return Screen(file=text, width=width, colours=reporter.hasmarkup), text


def _print_indexes(reporter: pytest.TerminalReporter, options: Suites, measured: Sequence[IndexMeasurement]) -> None:
    """Prints a table for each dataset, and adds the measurements to indexes.csv."""
    if not measured:
        return
    reporter.section("indexes against exact search")
    console, text = _console(reporter)
    for dataset in dict.fromkeys(each.dataset for each in measured):
        of_dataset = [each for each in measured if each.dataset == dataset]
        console.print(_index_table(dataset, of_dataset))
        for each in of_dataset:
            if each.busy:
                console.print(f"{each.index}: the latency includes other work: {each.busy}")
    reporter.write(text.getvalue())
    _save_indexes(reporter, options.results / "indexes.csv", measured)


def _save_indexes(reporter: pytest.TerminalReporter, path: Path, measured: Sequence[IndexMeasurement]) -> None:
    try:
        store_lines(measured, path)
        reporter.write_line(f"added to {path}")
    except HarnessError as error:
        reporter.write_line(str(error))


def _index_table(dataset: str, measured: Sequence[IndexMeasurement]) -> Grid:
    first = measured[0]
    table = Grid(title=f"{dataset}: {first.vectors:,} vectors of {first.dimensions} dimensions ({first.encoder})")
    tied = any((each.near_10, each.near_100) != (each.recall_10, each.recall_100) for each in measured)
    with_ties = ("10 with ties", "100 with ties") if tied else ()
    table.add_column("index")
    for name in ("recall@10", "recall@100", *with_ties, "nDCG@10", "lost", "build s", "MiB", "p50 ms", "p95 ms"):
        table.add_column(name, justify="right")
    for each in measured:
        recalls = [each.recall_10, each.recall_100]
        if tied:
            recalls += [each.near_10, each.near_100]
        quality = ["–" if value is None else f"{value:.4f}" for value in (each.ndcg, each.lost)]
        times = [f"({value:.3f})" if each.busy else f"{value:.3f}" for value in (each.p50_ms, each.p95_ms)]
        sizes = (f"{each.build_s:.2f}", f"{each.size_mib:.2f}")
        table.add_row(each.index, *(f"{value:.4f}" for value in recalls), *quality, *sizes, *times)
    return table
