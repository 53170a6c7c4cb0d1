"""Rows over datasets: every row is run on every dataset, here or by an executor, and has a record."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.base.defaults import DATASET, RESULTS
from harness.bench.aliases import aliases_of
from harness.bench.remote import Cell, RemoteBench
from harness.bench.runner import DEFAULT_DEPTH, Bench, Result
from harness.bench.store import Store
from harness.choices.expression import parse
from harness.data.measures import DEFAULT
from harness.datasets import spelled
from harness.executors import EXECUTORS, Executor
from harness.methods import Method
from harness.rows import methods_of
from harness.runtime.context import Context, open_context

DEFAULT_DATASET = DATASET


def run_rows(
    *rows: str | Method,
    dataset: str | Sequence[str] = DEFAULT_DATASET,
    measures: Sequence[str] = DEFAULT,
    depth: int = DEFAULT_DEPTH,
    results: str | Path = RESULTS,
    context: Context | None = None,
    rerun: bool = False,
    precision: str | None = None,
    tell: Callable[[Result], None] | None = None,
    executor: str | Executor | None = None,
    aliases: Mapping[Method, str] | None = None,
) -> tuple[Result, ...]:
    """Runs rows over datasets and stores their records; arguments and errors as `harness.api.run`.

    `aliases` names rows, besides the names in their text.

    Returns:
        A result for each dataset and row, in this order.
    """
    context = context or open_context()
    named = [dataset] if isinstance(dataset, str) else dataset
    datasets = list(dict.fromkeys(spelled(name, context) for name in named))
    methods = methods_of(rows, precision)
    names = {**(aliases or {}), **aliases_of(rows, precision)}
    store = Store(Path(results))
    done = []
    with opened_bench(
        methods, datasets, context, store, measures, depth, rerun=rerun, executor=executor
    ) as bench:
        if len(datasets) > 1:
            for name in datasets:  # an error of one is raised before the work on the others
                bench.load(name)
        for name in datasets:
            for method in methods:
                result = with_alias(bench.run(name, method), method, names.get(method, ""), store)
                done.append(result)
                if tell is not None:
                    tell(result)
    return tuple(_renewed(result, bench.renewed) for result in done)


def with_alias(result: Result, method: Method, alias: str, store: Store) -> Result:
    """A result whose record has a name; a stored record gets it too, and nothing else of it changes."""
    record = result.record
    if not alias or record.alias == alias:
        return result
    place = store.place(record.dataset["name"], method, record.seed)
    stored = store.load(place)
    if stored is not None:  # of a row that was skipped the earlier record with scores is still there
        store.amend(place, dataclasses.replace(stored, alias=alias))
    return dataclasses.replace(result, record=dataclasses.replace(record, alias=alias))


def _renewed(result: Result, latencies: Mapping[tuple[str, str], dict[str, Any] | None]) -> Result:
    """A result with the latency of the last round over all rows."""
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
    """A bench that runs its rows here or by an executor; jobs that still run at the end of the block are ended.

    At the end of the block the rows that ran here are timed again, in turn (`Bench.settle`).

    Args:
        methods: the rows.
        datasets: names of the collections.
        context: seed, device, cache, progress.
        store: where records go.
        measures: in ir-measures' notation.
        depth: of the runs.
        rerun: run every row again.
        executor: where; None or `local` here.
        cells: the rows and datasets that will be requested; None for all.

    Raises:
        HarnessError: as `Bench`, and as `executor_of`.
    """
    where = executor_of(executor)
    if where is None:
        bench = Bench(methods, datasets, context, store, measures, depth, rerun=rerun)
        yield bench
        bench.settle()
        return
    bench = RemoteBench(methods, datasets, context, store, measures, depth, rerun=rerun, executor=where, cells=cells)
    try:
        yield bench
    finally:
        bench.close()
    bench.settle()


def executor_of(named: str | Executor | None) -> Executor | None:
    """An executor from its expression, as `ray(workers=2)`; None for this process.

    Raises:
        UnknownName: carries the closest names.
        SettingError: what is wrong with it.
    """
    executor = parse(named, EXECUTORS, {EXECUTORS.package: EXECUTORS}) if isinstance(named, str) else named
    return None if executor is None or executor.name() == "local" else executor
