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
    """Scores that a method gives to candidates of each query; each pair is scored once and kept.

    Args:
        judge: the method.
        texts: of Q queries.
        candidates: per query, rows of the corpus.
        view: whose corpus.
        context: cache.
        learnt_on: what the method is fitted on, where that is another view.

    Raises:
        ModelError: the method cannot score given candidates.
    """
    fitted = fit(judge, learnt_on or view, context)
    if not isinstance(fitted, Reranks):
        raise ModelError(f"{judge} cannot score given pairs; a teacher or judge is a cross_encoder or dense row.")
    return fitted.candidate_scorer(view.corpus, context).scores(list(texts), list(candidates))


def without_known(queries: Queries, candidates: Sequence[Ints], known: Sequence[Ints], view: TrainView) -> list[Ints]:
    """Per query, the candidates that are not known documents, nor copies of their texts, nor the query's own text.

    Args:
        queries: Q queries.
        candidates: rows for each.
        known: rows for each that are relevant, or the query itself.
        view: whose corpus.
    """
    wanted = np.unique(np.concatenate([*candidates, *known, np.zeros(0, np.int64)]))
    texts = dict(zip(wanted.tolist(), (" ".join(t.split()) for t in view.corpus.texts_of(wanted)[:]), strict=True))
    left = []
    for text, rows, own in zip(queries.texts, candidates, known, strict=True):
        barred = {texts[row] for row in own.tolist()} | {" ".join(text.split())}
        left.append(np.array([row for row in rows.tolist() if texts[row] not in barred], dtype=np.int64))
    return left
