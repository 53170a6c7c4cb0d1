"""The dev cut: which training queries settings are chosen on, if a collection has no dev split.

A fifth of the queries, at most 1,000. By `documents`, the default, whole groups of queries go to dev
(`harness.collection.groups`): a setting that only remembers which document answers which query gains nothing on it.
By `queries`, single queries go to dev whatever they share with train: dev then favours settings that memorise.
"""

from __future__ import annotations

import dataclasses
from typing import Literal

from harness.collection.groups import Groups, document_groups, query_groups
from harness.data.dataset import TrainView
from harness.data.queries import Labelled
from harness.runtime.context import Context

Rule = Literal["documents", "queries"]
DOCUMENTS: Rule = "documents"
QUERIES: Rule = "queries"
DEV_SHARE = 0.2
DEV_MOST = 1000
LEAST = 0.5
"""Of the size of dev: if whole groups give less than this share of it, dev is cut by queries instead."""


def cut(groups: Groups) -> frozenset[str]:
    """The queries of dev: groups in their order, but none that is larger than what is still missing.

    So one large group cannot be all of dev; it stays in train.
    """
    wanted = min(DEV_MOST, int(sum(map(len, groups)) * DEV_SHARE))
    dev: set[str] = set()
    for group in groups:
        if len(dev) + len(group) <= wanted:
            dev.update(group)
    return frozenset(dev)


def with_dev(view: TrainView, rule: Rule, context: Context, groups: Groups | None = None) -> TrainView:
    """The view with a dev split: its own, else one that is cut from train, with a note on how.

    Args:
        view: as the collection has it.
        rule: how to cut.
        context: its cache.
        groups: of the training queries by this rule; None computes them.
    """
    if view.train is None:
        return view
    if view.dev is not None:
        own = f"dev: {len(view.dev.queries):,} queries, the collection's own split: it is not cut from train"
        return view if rule == DOCUMENTS else dataclasses.replace(view, notes=(*view.notes, own))
    train = view.train
    if groups is None:
        groups = document_groups(train, context) if rule == DOCUMENTS else query_groups(train.queries.ids)
    dev, by = cut(groups), rule
    whole, note = len(train.queries), ""
    if rule == DOCUMENTS and len(dev) < LEAST * min(DEV_MOST, int(whole * DEV_SHARE)):
        dev, by = cut(query_groups(train.queries.ids)), QUERIES
        note = f"; by documents it would have too few, since {max(map(len, groups)):,} of them share documents"
    if not dev:
        return view
    shares = "share no relevant document with the others" if by == DOCUMENTS else "may share documents with the others"
    note = f"dev: {len(dev):,} of {whole:,} training queries, cut by {by}: they {shares}{note}"
    return dataclasses.replace(
        view,
        train=_part(train, dev, inside=False),
        dev=_part(train, dev, inside=True),
        notes=(*view.notes, note),
    )


def _part(split: Labelled, dev: frozenset[str], *, inside: bool) -> Labelled:
    return split.only([query for query in split.queries.ids if (query in dev) == inside])
