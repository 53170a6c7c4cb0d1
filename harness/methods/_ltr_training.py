"""How `ltr` learns: rankings of labelled queries by rows that have not seen them, folds, and the final model."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from harness.base.errors import DatasetError
from harness.collection.dev import DOCUMENTS, QUERIES, Rule
from harness.collection.folds import folded, labelled_queries
from harness.data.dataset import Dataset, TrainView
from harness.data.measures import means, parse_measures, per_query
from harness.data.queries import Labelled, Queries
from harness.data.ranking import Run, TopK, select, stack
from harness.methods import DEV_LABELS, TRAIN_LABELS, UNKNOWN_LABELS, Fitted, Method, fit, index, search
from harness.methods._ltr_features import Candidates, judged
from harness.methods._ltr_learners import CUT, LEARNERS, Ranker, best_trees
from harness.runtime.context import Context

if TYPE_CHECKING:
    from harness.methods.ltr import LTR

CHOSEN_BY = f"nDCG@{CUT}"


@dataclass(frozen=True)
class Learnt:
    """What was learnt from labelled queries.

    Args:
        ranker: the model; None if there was nothing to learn from.
        queries: the number of queries that taught it.
        by: what no two folds share: `documents` or `queries`.
        trees: of the model, if it has any.
        held_out: nDCG@10 of the queries, each ranked by the model of the other folds.
        revision: of the queries that taught it.
        notes: for a reader of the results.
    """

    ranker: Ranker | None = None
    queries: int = 0
    by: str = ""
    trees: int | None = None
    held_out: float | None = None
    revision: str = ""
    notes: tuple[str, ...] = field(default=())


def learnt(method: LTR, fitted: Sequence[Fitted], view: TrainView, context: Context) -> Learnt:
    """Learns from the training and dev queries of a view.

    Args:
        method: the row.
        fitted: its rows, fitted on the view.
        view: what it may see.
        context: of the run.
    """
    known = _labelled(view)
    if len(known.queries) < 2:
        return Learnt(notes=("no train or dev queries to learn from: fused by rrf; try --folds 5",))
    context.announce(known.queries.texts)
    inner, by = _in_folds(known, view, method.folds, context)
    drawn = known.only(sorted(context.rng("ltr").permutation(known.queries.ids)[: method.queries].tolist()))
    tops = _rankings(method, fitted, inner, drawn.queries, context)
    found = dict(zip(drawn.queries.ids, judged(drawn, tops, view.corpus), strict=True))
    assert inner.folds is not None
    folds = [[query for query in drawn.queries.ids if query in part.queries] for part in inner.folds.parts]
    teaching = [part for fold in folds if (part := [found[query] for query in fold if found[query].teaches])]
    everything = [found[query] for query in drawn.queries.ids if found[query].teaches]
    if len(teaching) < 2:
        few = f"{len(everything)} of {len(drawn.queries):,} labelled queries have relevant candidates"
        return Learnt(notes=(f"{few}, too few to learn from: fused by rrf",))
    learning, trees = method.learning, None
    if method.learner == "lambdamart":
        trees = best_trees(teaching, learning)
        learning = dataclasses.replace(learning, trees=trees)
    make = LEARNERS[method.learner]
    rankings = dict[str, tuple[np.ndarray, np.ndarray]]()
    for fold in folds:
        inside = set(fold)
        others = [found[query] for query in drawn.queries.ids if query not in inside and found[query].teaches]
        if fold and others:
            ranker = make(others, learning)
            rankings |= {query: _ranked(ranker, found[query], view) for query in fold}
    few_groups = f"folds of training queries may share documents: fewer than {method.folds} groups do not"
    notes = [few_groups] if by == QUERIES else []
    notes += [
        f"{row} was fitted on labels that are not known, perhaps on training queries: its weight may be too high"
        for row, part in zip(method.methods, fitted, strict=True)
        if part.supervision == UNKNOWN_LABELS
    ]
    return Learnt(
        make(everything, learning),
        len(everything),
        by,
        trees,
        _ndcg(drawn, rankings, view),
        drawn.revision,
        tuple(notes),
    )


def _labelled(view: TrainView) -> Labelled:
    """The training and dev queries together; none if there are none."""
    nothing = Labelled(Queries([], []), {})
    return labelled_queries(Dataset("", view.corpus, nothing, lambda: view))


def _in_folds(known: Labelled, view: TrainView, count: int, context: Context) -> tuple[TrainView, Rule]:
    """A view whose folds are made of the labelled queries; by queries if documents do not allow it."""
    dataset = Dataset("training queries", view.corpus, known, lambda: TrainView(view.corpus))
    try:
        return folded(dataset, dataset.name, count, DOCUMENTS, DOCUMENTS, context).train, DOCUMENTS
    except DatasetError:
        count = min(count, len(known.queries))
        return folded(dataset, dataset.name, count, QUERIES, QUERIES, context).train, QUERIES


def _rankings(
    method: LTR, fitted: Sequence[Fitted], inner: TrainView, queries: Queries, context: Context
) -> list[TopK]:
    """Each row's rankings of labelled queries; by a row that learns, those of what was fitted on the other folds."""
    # The guard was shown all labelled queries; folds of them are not folds of the reported queries.
    unguarded = dataclasses.replace(context, guard=None)

    def ranked(row: Method, part: Fitted) -> TopK:
        learns = part.supervision in (DEV_LABELS, TRAIN_LABELS)
        unseen = fit(row, inner, unguarded) if learns else part
        return search(row, index(row, unseen, inner.corpus, context), queries, method.depth, context)

    return [ranked(row, part) for row, part in zip(method.methods, fitted, strict=True)]


def _ranked(ranker: Ranker, candidates: Candidates, view: TrainView) -> tuple[np.ndarray, np.ndarray]:
    if not len(candidates.rows):
        return candidates.rows, np.zeros(0, np.float32)
    scores = ranker.scores(candidates.values).astype(np.float32)
    return select(candidates.rows, scores, view.corpus.id_order, CUT)


def _ndcg(drawn: Labelled, rankings: dict[str, tuple[np.ndarray, np.ndarray]], view: TrainView) -> float:
    """nDCG@10 of the queries of folds that could be held out."""
    asked = drawn.only(list(rankings))
    top = stack([rankings[query] for query in asked.queries.ids], CUT)
    run = Run.of_split(asked, top, view.corpus, CUT)
    return means(per_query(parse_measures([CHOSEN_BY]), asked.qrels, run))[CHOSEN_BY]
