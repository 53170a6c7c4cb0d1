"""Folds: every labelled query is reported, ranked by a system that was fitted on the other folds only.

The queries are those of train and dev, or those of the reported split if the collection has no others; the test split
of a collection with training queries stays untouched. Folds are made of whole groups (`harness.collection.groups`), so
that with folds by documents nothing a system was fitted on asks about a document that one of its own queries asks
about. Within the other folds, dev is cut by the same rule as anywhere (`harness.collection.dev`).
"""

from __future__ import annotations

from collections.abc import Sequence

from harness.base.errors import DatasetError
from harness.collection.dev import DOCUMENTS, QUERIES, Rule, with_dev
from harness.collection.groups import Groups, document_groups, query_groups
from harness.collection.sound import sound
from harness.data.dataset import Dataset, Fold, Folds, TrainView
from harness.data.queries import Labelled, Queries
from harness.runtime.context import Context

UNEQUAL = 1.5
"""A fold is called large if it has more than this many times its share of the queries."""


def folded(dataset: Dataset, name: str, count: int, by: Rule, dev: Rule, context: Context) -> Dataset:
    """A collection's labelled queries in folds, as a dataset that reports on all of them.

    Args:
        dataset: as the collection has it.
        name: of the dataset with the folds.
        count: number of folds.
        by: what groups are made of.
        dev: how dev is cut from the other folds.
        context: its cache.

    Raises:
        DatasetError: there are fewer groups than folds, or the queries cannot be scored.
    """
    queries = labelled_queries(dataset)
    # Notes on a split that is no longer reported would be wrong.
    notes = dataset.notes
    if queries is not dataset.test:
        notes = tuple(n for n in notes if n not in sound(name, dataset.test, dataset.corpus))
        notes += tuple(sound(name, queries, dataset.corpus))
    rules = {by, dev}
    groups = {DOCUMENTS: document_groups(queries, context)} if DOCUMENTS in rules else {}
    groups |= {QUERIES: query_groups(queries.queries.ids)} if QUERIES in rules else {}
    if len(groups[by]) < count:
        raise DatasetError(_too_few(name, count, by, groups[by]))
    parts = balanced(groups[by], count)

    def view() -> TrainView:
        folds = tuple(
            _fold(number, members, dataset, queries, dev, groups[dev], context) for number, members in enumerate(parts)
        )
        return TrainView(dataset.corpus, notes=_dev_notes(folds), folds=Folds(folds, by, len(groups[by])))

    return Dataset(
        name=name,
        corpus=dataset.corpus,
        test=queries,
        load_train=view,
        notes=(*notes, *_notes(parts, by, len(groups[by]))),
        licence=dataset.licence,
    )


def labelled_queries(dataset: Dataset) -> Labelled:
    """The queries that folds are made of: those of train and dev, else those of the reported split.

    Args:
        dataset: as the collection has it.
    """
    view = dataset.load_train()
    splits = [split for split in (view.train, view.dev) if split is not None]
    if not splits:
        return dataset.test
    return Labelled(
        Queries([i for s in splits for i in s.queries.ids], [t for s in splits for t in s.queries.texts]),
        {query: grades for s in splits for query, grades in s.qrels.items()},
        frozenset().union(*(s.drop_self for s in splits)),
    )


def balanced(groups: Groups, count: int) -> list[frozenset[str]]:
    """The groups in `count` folds: the largest first, each into the fold with the fewest queries so far.

    No two folds differ by more than the size of the largest group (Graham, 1969, on scheduling the longest jobs first).

    Args:
        groups: at least `count`, in a fixed order.
        count: number of folds.
    """
    folds: list[set[str]] = [set() for _ in range(count)]
    for group in sorted(groups, key=len, reverse=True):  # stable: groups of one size stay in their order
        min(folds, key=len).update(group)
    return [frozenset(fold) for fold in folds]


def _fold(
    number: int,
    members: frozenset[str],
    dataset: Dataset,
    queries: Labelled,
    dev: Rule,
    groups: Groups,
    context: Context,
) -> Fold:
    others = queries.only([query for query in queries.queries.ids if query not in members])
    kept = [tuple(query for query in group if query not in members) for group in groups]
    view = TrainView(dataset.corpus, train=others, fold=number)
    return Fold(members, with_dev(view, dev, context, [group for group in kept if group]))


def _notes(parts: Sequence[frozenset[str]], by: Rule, groups: int) -> list[str]:
    sizes = sorted(map(len, parts), reverse=True)
    whole = sum(sizes)
    of = f"{groups:,} groups that share no relevant document" if by == DOCUMENTS else "single queries"
    each = ", ".join(f"{size:,}" for size in sizes)
    notes = [
        f"{len(parts)} folds by {by}: {whole:,} queries in {of}; folds of {each} queries, each ranked by a system that "
        "was fitted on the other folds only"
    ]
    if sizes[0] > UNEQUAL * whole / len(parts):
        notes.append(
            f"folds are unequal: one group has many of the queries, so a system for {sizes[0]:,} of the {whole:,} "
            f"queries was fitted on the other {whole - sizes[0]:,}"
        )
    return notes


def _dev_notes(folds: Sequence[Fold]) -> tuple[str, ...]:
    """How dev was cut in the folds, each way once with the numbers of its folds."""
    ways: dict[str, list[int]] = {}
    for number, fold in enumerate(folds, 1):
        for note in fold.view.notes:
            ways.setdefault(note, []).append(number)
    return tuple(f"fold{'s' * (len(of) > 1)} {', '.join(map(str, of))}: {note}" for note, of in ways.items())


def _too_few(name: str, count: int, by: Rule, groups: Groups) -> str:
    whole, largest = sum(map(len, groups)), max(map(len, groups))
    if whole < 2:
        return f"{name}: it has one labelled query, which cannot be cut into folds; label more, or leave folds out."
    if by == QUERIES:
        return f"{name}: {whole} queries cannot be cut into {count} folds; name fewer folds."
    many = f"; the largest has {largest} of them" if len(groups) > 1 else ""
    possible = min(count, whole)
    fewer = f"Name {len(groups)} folds, or cut" if len(groups) > 1 else "Cut"
    name_of_all, folds = name.rpartition(f"/folds-{count}")[0], f"{possible}-queries"
    return (
        f"{name}: its {whole} queries are in {len(groups)} groups that share no relevant document{many}, too few for "
        f"{count} folds by documents. {fewer} by queries: {name_of_all}/folds-{folds}, or --folds {folds}."
    )
