"""Candidates of queries: their scores by a method, and those that may serve as negatives."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from harness.base.errors import ModelError
from harness.data.dataset import TrainView
from harness.data.queries import Queries
from harness.data.ranking import Floats, Ints
from harness.methods import Method, Reranks, fit
from harness.runtime.context import Context


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
