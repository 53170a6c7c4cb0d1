"""Candidates of queries: their scores by a method, and those that may serve as negatives."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from harness.base.errors import ModelError
from harness.data.dataset import TrainView
from harness.data.queries import Queries
from harness.data.ranking import Floats, Ints
from harness.methods import Method, Reranks, fit, index, search
from harness.runtime.context import Context

SEARCHED = 1000
"""Documents that a method which only searches ranks for each query."""


def candidate_scores(
    judge: Method,
    texts: Sequence[str],
    candidates: Sequence[Ints],
    view: TrainView,
    context: Context,
    learnt_on: TrainView | None = None,
) -> list[Floats]:
    """Scores that a method gives to candidates of each query; each pair is scored once and cached.

    Args:
        judge: the method.
        texts: of Q queries.
        candidates: per query, rows of the corpus.
        view: whose corpus.
        context: cache.
        learnt_on: what the method is fitted on, if not `view`.

    Raises:
        ModelError: the method cannot score given candidates.
    """
    fitted = fit(judge, learnt_on or view, context)
    if not isinstance(fitted, Reranks):
        raise ModelError(f"{judge} cannot score given pairs; a teacher or judge must be a cross_encoder or dense row.")
    return fitted.candidate_scorer(view.corpus, context).scores(list(texts), list(candidates))


def scores_of_any(
    method: Method,
    texts: Sequence[str],
    candidates: Sequence[Ints],
    view: TrainView,
    context: Context,
    learnt_on: TrainView | None = None,
) -> list[Floats]:
    """As `candidate_scores`, of any method: one that only searches, such as BM25 or a hybrid, gives its candidates the
    scores with which it finds them, and those that are not among its first `SEARCHED` the lowest of these.
    """
    fitted = fit(method, learnt_on or view, context)
    if isinstance(fitted, Reranks):
        return candidate_scores(method, texts, candidates, view, context, learnt_on)
    places = {text: place for place, text in enumerate(dict.fromkeys(texts))}
    queries = Queries([f"q{place}" for place in places.values()], list(places))
    top = search(method, index(method, fitted, view.corpus, context), queries, SEARCHED, context)
    scores = []
    for text, rows in zip(texts, candidates, strict=True):
        found = top.indices[places[text]] >= 0
        by_row = dict(
            zip(top.indices[places[text]][found].tolist(), top.scores[places[text]][found].tolist(), strict=True)
        )
        lowest = min(by_row.values(), default=0.0)
        scores.append(np.array([by_row.get(row, lowest) for row in rows.tolist()], dtype=np.float32))
    return scores


def without_known(queries: Queries, candidates: Sequence[Ints], known: Sequence[Ints], view: TrainView) -> list[Ints]:
    """Per query, its candidates without known documents, copies of their texts, and copies of the query.

    Args:
        queries: Q queries.
        candidates: rows for each.
        known: rows for each that are relevant, or the query itself.
        view: whose corpus.
    """
    rows = np.unique(np.concatenate([*candidates, *known, np.zeros(0, np.int64)]))
    texts = dict(zip(rows.tolist(), map(_normalised, view.corpus.texts_of(rows)[:]), strict=True))
    left = []
    for query, own_candidates, own_known in zip(queries.texts, candidates, known, strict=True):
        excluded = {_normalised(query), *(texts[row] for row in own_known.tolist())}
        remaining = [row for row in own_candidates.tolist() if texts[row] not in excluded]
        left.append(np.array(remaining, dtype=np.int64))
    return left


def _normalised(text: str) -> str:
    """The text with single spaces: white space alone makes no other document."""
    return " ".join(text.split())
