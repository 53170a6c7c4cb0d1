"""Margins: the difference of a teacher's scores of two documents; MarginMSE trains on them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from harness.data.dataset import TrainView
from harness.data.ranking import Floats, Ints
from harness.methods import Method
from harness.runtime.context import Context
from harness.training.base import Trainable
from harness.training.candidates import candidate_scores


@dataclass(frozen=True)
class Margins:
    """P margins.

    Args:
        values: (P,) teacher(q, d+) − teacher(q, d−).
        scale: factor of the student's cosines, so that its margins before training spread as the
            teacher's do.
        facts: JSON-safe: share of negatives that the teacher puts above the positive, the scale.
    """

    values: Floats
    scale: float
    facts: dict[str, Any]


def margins(
    teacher: Method,
    student: Method,
    texts: Sequence[str],
    pairs: Sequence[tuple[int, int]],
    negatives: Ints,
    view: TrainView,
    context: Context,
) -> Margins:
    """A teacher's margins over triples.

    MarginMSE (Hofstätter et al., 2010.02666, eq. 3) was made for unbounded dot products. Normalising encoders
    give cosines, which cannot spread as a teacher's logits do, so that they are scaled.

    Args:
        teacher: scores pairs; each is scored once and cached.
        student: the model before training.
        texts: of the queries.
        pairs: P (query number, row of its positive).
        negatives: (P, 1) rows.
        view: the corpus.
        context: cache.
    """
    queries = [texts[number] for number, _ in pairs]
    both = np.column_stack([[row for _, row in pairs], negatives[:, 0]]).astype(np.int64)
    candidates = list(both)
    values = _differences(candidate_scores(teacher, queries, candidates, view, context))
    own = _differences(candidate_scores(student, queries, candidates, view, context))
    scale = spread_ratio(values, own)
    facts = {"false_negative_rate_by_teacher": round(float((values < 0).mean()), 4), "margin_scale": round(scale, 4)}
    return Margins(values, scale, facts)


def spread_ratio(teacher: Floats, student: Floats) -> float:
    """Factor that makes the student's margins spread as the teacher's do; 1 if either has no spread."""
    wide, narrow = float(teacher.std()), float(student.std())
    return wide / narrow if wide > 0 and narrow > 0 else 1.0


def margin_loss(scale: float, base: Trainable) -> Callable[[Any], Any]:
    """MarginMSE over `scale` times what the model ranks by: the cosine or the dot product of its vectors."""

    def build(model: Any) -> Any:
        from sentence_transformers.sentence_transformer.losses import MarginMSELoss
        from sentence_transformers.util import pairwise_cos_sim, pairwise_dot_score

        score = pairwise_cos_sim if base.cosine else pairwise_dot_score
        return MarginMSELoss(model, similarity_fct=lambda a, b: scale * score(a, b))

    return build


def _differences(scores: Sequence[Floats]) -> Floats:
    return np.array([float(s[0]) - float(s[1]) for s in scores], dtype=np.float32)
