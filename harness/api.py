"""The harness from Python: `run("bm25", "dense", dataset="./my-corpus")`."""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.bench.elsewhere import Cell, Elsewhere
from harness.bench.published import read_all
from harness.bench.runner import DEFAULT_DEPTH, Bench, Result
from harness.bench.store import Store
from harness.cache.folders import Cache
from harness.context import Context, Progress, quiet
from harness.datasets import spelled
from harness.errors import SettingError
from harness.executors import EXECUTORS, Executor
from harness.expressions import parse
from harness.measures import DEFAULT
from harness.memory import Memory, parse_size
from harness.methods import Method
from harness.report import markdown
from harness.report.board import Across, Table, across, tables, with_published
from harness.report.standings import across_with_standing, with_standings
from harness.report.writing import write_board
from harness.rows import GROUPS, at_precision, parse_method

DEFAULT_DATASET = "stdlib/code"
log = logging.getLogger("harness")


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
        found = with_standings(found, self.store, self.store.stored()[0])
        return with_published(found, read_all(self.store.root)[0])

    @property
    def across(self) -> Across | None:
        """The table across datasets, None for fewer than two; with intervals as `tables` has them."""
        found = tables(result.record for result in self.results)
        return across_with_standing(found, self.store, self.store.stored()[0]) if self.store else across(found)

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


def methods_of(rows: Sequence[str | Method], precision: str | None = None) -> list[Method]:
    """The methods of rows given as values or text, `default` and `recipes` standing for several; the default where none is given.

    Args:
        rows: as given.
        precision: of encoders and cross-encoders in fp32 (`harness.rows.at_precision`); None leaves them so.

    Raises:
        UnknownName, SettingError: see `harness.rows.parse_method`.
    """
    found: list[Method] = []
    for row in rows or ("default",):
        named = GROUPS[row]() if isinstance(row, str) and row in GROUPS else (row,)
        found += [parse_method(each) if isinstance(each, str) else each for each in named]
    if precision is None:
        return list(dict.fromkeys(found))
    from harness.modeling.golden import Asked  # slow to import, and a listing needs none of it

    Asked(precision).check("--precision")
    changed = [at_precision(method, precision) for method in dict.fromkeys(found)]
    if len(set(changed)) < len(changed):
        log.warning(
            "--precision %s is for all rows in fp32, named or not, so that some of these rows are now one; leave it out and name "
            "the precision in the rows to have both.",
            precision,
        )
    return list(dict.fromkeys(changed))


def open_context(
    *,
    seed: int = 0,
    device: str | None = None,
    batch_tokens: int | None = None,
    memory: str | int | None = None,
    cache_dir: Path | None = None,
    data_dirs: Sequence[Path] = (),
    progress: Progress = quiet,
) -> Context:
    """A context with its cache.

    Args:
        seed: of every random stream.
        device: where models run; None lets torch choose.
        batch_tokens: tokens that go through a model at once; None takes what suits the device.
        memory: what steps may take for what grows with a collection, as `"2GB"` or in bytes; None takes `HARNESS_MEMORY`, else
            2 GiB.
        cache_dir: None for the user's cache.
        data_dirs: folders that may hold BEIR collections.
        progress: how to show progress.

    Raises:
        CacheError: the cache folder cannot be written.
        SettingError: a seed, device or memory that is none, or too little memory for any step.
    """
    if seed < 0:
        raise SettingError(f"seed must be 0 or more, not {seed}.")
    if device is not None and not re.fullmatch(r"(cpu|cuda|mps|xpu|npu|hpu)(:\d+)?", device):
        raise SettingError(
            f"device {device!r} is none that models run on: cpu, cuda, cuda:1, mps; leave it out for torch's choice."
        )
    return Context(
        seed=seed,
        device=device,
        batch_tokens=batch_tokens,
        cache=Cache(cache_dir),
        memory=Memory(parse_size(memory) if isinstance(memory, str) else memory),
        data_dirs=tuple(data_dirs),
        progress=progress,
    )


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
        HarnessError: bad input, a dataset that cannot be had, or an executor. What a row raises goes into its record instead.
    """
    context = context or open_context()
    named = [dataset] if isinstance(dataset, str) else dataset
    datasets = list(dict.fromkeys(spelled(name, context) for name in named))
    methods = methods_of(rows, precision)
    done = []
    with opened_bench(methods, datasets, context, Store(Path(results)), measures, depth, rerun=rerun, executor=executor) as bench:
        if len(datasets) > 1:
            for name in datasets:  # one that cannot be had is told before the others' work, not after it
                bench.load(name)
        for name in datasets:
            for method in methods:
                result = bench.run(name, method)
                done.append(result)
                if tell is not None:
                    tell(result)
    return Board(tuple(_renewed(result, bench.renewed) for result in done), bench.store)


def _renewed(result: Result, latencies: Mapping[tuple[str, str], dict[str, Any] | None]) -> Result:
    """A result with the latency that the last round over all rows gave."""
    place = result.record.dataset["name"], result.record.row
    if place not in latencies:
        return result
    return dataclasses.replace(result, record=dataclasses.replace(result.record, latency=latencies[place]))


@contextlib.contextmanager
def opened_bench(
    methods: Sequence[Method],
    datasets: Sequence[str],
    context: Context,
    store: Store,
    measures: Sequence[str],
    depth: int,
    *,
    rerun: bool = False,
    executor: str | Executor | None = None,
    cells: Collection[Cell] | None = None,
) -> Iterator[Bench]:
    """A bench that makes its rows here or, with an executor, elsewhere; what still runs there when the block ends is ended.

    At the end of the block the rows made here are timed once more, in turn (`Bench.settle`).

    Args:
        methods: the rows.
        datasets: names of the collections.
        context: seed, device, cache, progress.
        store: where records go.
        measures: in ir-measures' notation.
        depth: of the runs.
        rerun: run every row again.
        executor: where; None or `local` here.
        cells: the rows and datasets that will be asked for, where not all are.

    Raises:
        HarnessError: as `Bench`, and as `executor_of`.
    """
    where = executor_of(executor)
    if where is None:
        bench = Bench(methods, datasets, context, store, measures, depth, rerun=rerun)
        yield bench
        bench.settle()
        return
    bench = Elsewhere(methods, datasets, context, store, measures, depth, rerun=rerun, executor=where, cells=cells)
    try:
        yield bench
    finally:
        bench.close()
    bench.settle()


def executor_of(named: str | Executor | None) -> Executor | None:
    """An executor as it is written, as `ray(workers=2)`; None for this process.

    Raises:
        UnknownName: carries the closest names.
        SettingError: what is wrong with it.
    """
    found = parse(named, EXECUTORS, {EXECUTORS.package: EXECUTORS}) if isinstance(named, str) else named
    return None if found is None or found.name() == "local" else found


def write_leaderboard(results: Path, context: Context | None = None) -> tuple[list[Table], Across | None, list[Exception]]:
    """Writes `leaderboard.md`, `.csv`, `.html` and `.tex` from the records.

    The page also shows texts, titles and grades of the collections that are on this machine; nothing is downloaded for it.

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
