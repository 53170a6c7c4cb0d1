"""A row on dev: fitted, indexed and searched as on test, and measured on the dev queries over the whole corpus."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from ir_measures.measures import Measure

from harness.base.errors import Unavailable
from harness.bench.hosted_cost import hosted_costs
from harness.bench.leak_guard import Guard
from harness.bench.runner import DEFAULT_DEPTH
from harness.bench.step_times import row_seconds, step_notes
from harness.data.dataset import Dataset
from harness.data.measures import PerQuery, means, per_query
from harness.data.queries import Labelled
from harness.data.ranking import Run
from harness.methods import Method, fit, index, search
from harness.rows import row_name
from harness.runtime.context import Context


@dataclass(frozen=True)
class OnDev:
    """The scores of a row on dev.

    Args:
        values: measure → dev query → value.
        measures: measure → mean.
        supervision: which labels were used.
        resolved: settings as they turned out, and what training did; JSON-safe.
        seconds: per kind, at what things cost without a cache.
        notes: what a reader of the scores must know.
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
    if dataset.train.folds is not None:
        raise Unavailable(
            f"{dataset.name} has no dev queries of its own, since each fold has others.",
            "Choose on the collection itself, and name the chosen row with the folds; or run a row like "
            'tuned(bm25, over=("k1=0.6:1.6",)), which chooses in each fold.',
        )
    if dataset.train.dev is None:
        raise Unavailable(
            f"{dataset.name} has no dev queries to choose on.",
            "Add qrels/dev.tsv, or qrels/train.tsv with five queries or more; or choose in folds: `harness run --folds "
            '5` with a row like tuned(bm25, over=("k1=0.6:1.6",)).',
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

    The guard of the test split works as for every row: a model that was trained on test is refused, and a warning says
    what it learns that also occurs in test. Nothing of the test split is used for the scores.

    Args:
        method: the row.
        dataset: the collection.
        measures: from `parse_measures`.
        context: seed, device, cache.
        warned: what of test was warned of already, by dataset.
        depth: of the rankings.

    Raises:
        Unavailable: no dev queries, or what the row needs is absent.
        HarnessError: what the row meets.
    """
    dev = dev_of(dataset)
    measured = dataclasses.replace(dataset, test=dev, load_train=lambda: dataset.train)
    guard = Guard(dataset, context, set(warned))
    guard.admit(method)
    k = dev.search_depth(depth)
    context = context.guarded(guard).searching(k)
    with context.ledger.tracked(row_name(method)) as done:
        hosted_costs(method, measured, context)
        fitted = fit(method, measured.train, context)
        searcher = index(method, fitted, measured.corpus, context)
        top = search(method, searcher, dev.queries, k, context)
        run = Run.of_split(dev, top, measured.corpus, depth)
    values = per_query(measures, dev.qrels, run)
    notes = (*fitted.notes, *searcher.notes(dev.queries), *step_notes(done))
    return OnDev(
        values=values,
        measures=means(values),
        supervision=fitted.supervision,
        resolved=dict(fitted.resolved),
        seconds=row_seconds(done),
        notes=tuple(dict.fromkeys(notes)),
    )
