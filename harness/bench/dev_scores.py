"""A row on dev: fitted, indexed and searched as for a record, measured on the dev queries over the whole corpus."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from ir_measures.measures import Measure

from harness.base.errors import Unavailable
from harness.bench.hosted_cost import bills
from harness.bench.leak_guard import Guard
from harness.bench.runner import DEFAULT_DEPTH, noted
from harness.bench.step_times import row_seconds
from harness.data.dataset import Dataset
from harness.data.measures import PerQuery, means, per_query
from harness.data.queries import Labelled
from harness.data.ranking import Run
from harness.methods import Method, fit, index, search
from harness.rows import row_name
from harness.runtime.context import Context


@dataclass(frozen=True)
class OnDev:
    """What a row gave on dev.

    Args:
        values: measure → dev query → value.
        measures: measure → mean.
        supervision: which labels were used.
        resolved: settings as they turned out, and what training did; JSON-safe.
        seconds: per kind, with what was taken from the cache counted at what it took to make.
        notes: what a reader of the figures must know.
    """

    values: PerQuery
    measures: dict[str, float]
    supervision: str
    resolved: dict[str, Any]
    seconds: dict[str, float]
    notes: tuple[str, ...]


def dev_of(dataset: Dataset) -> Labelled:
    """The dev queries.

    Raises:
        Unavailable: the collection has none.
    """
    if dataset.train.dev is None:
        raise Unavailable(
            f"{dataset.name} has no dev queries to choose on.",
            "Add qrels/dev.tsv, or qrels/train.tsv with five queries or more.",
        )
    return dataset.train.dev


def on_dev(
    method: Method,
    dataset: Dataset,
    measures: Sequence[Measure],
    context: Context,
    warned: Collection[tuple[str, str]] = (),
    depth: int = DEFAULT_DEPTH,
) -> OnDev:
    """Measures a row on the dev queries.

    The guard of test stands beside it as beside every row: a model that was trained on test is refused, and what a
    model learns that test has too is warned of. Nothing comes back from test.

    Args:
        method: the row.
        dataset: the collection.
        measures: from `parse_measures`.
        context: seed, device, cache.
        warned: what was warned of already, by dataset.
        depth: of the rankings.

    Raises:
        Unavailable: no dev queries, or what the row needs is absent.
        HarnessError: what the row meets.
    """
    dev = dev_of(dataset)
    held = dataclasses.replace(dataset, test=dev, load_train=lambda: dataset.train)
    guard = Guard(dataset, context, set(warned))
    guard.admit(method)
    context = context.guarded(guard).searching(dev.search_depth(depth))
    with context.ledger.tracked(row_name(method)) as done:
        bills(method, held, context)
        fitted = fit(method, held.train, context)
        searcher = index(method, fitted, held.corpus, context)
        top = search(method, searcher, dev.queries, context.search_depth, context)
        run = Run.of_split(dev, top, held.corpus, depth)
    values = per_query(measures, dev.qrels, run)
    notes = (*fitted.notes, *searcher.notes(dev.queries), *noted(done))
    return OnDev(
        values, means(values), fitted.supervision, dict(fitted.resolved), row_seconds(done), tuple(dict.fromkeys(notes))
    )
