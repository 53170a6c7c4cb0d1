"""Margins: the differences of a teacher's scores of two documents, as labels for a student."""

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

COSINE_SCALE = 20.0
"""Factor of cosines in a loss of margins, as in a softmax: margins of cosines are small numbers."""


def scores_of(
    judge: Method,
    texts: Sequence[str],
    queries: Ints,
    documents: Ints,
    seen: TrainView,
    context: Context,
    view: TrainView,
) -> Floats:
    """(E, C) scores of documents of E examples; each pair is scored once and cached.

    Args:
        judge: scores pairs.
        texts: of the queries.
        queries: (E,) numbers of them.
        documents: (E, C) rows of the corpus of `seen`.
        seen: the documents, as they are read; not always those of the collection.
        context: cache.
        view: what the judge is fitted on.

    Raises:
        ModelError: the judge cannot score given pairs.
    """
    spread = np.repeat(queries, documents.shape[1])
    pairs = np.unique(np.column_stack([spread, documents.reshape(-1)]).astype(np.int64), axis=0)
    numbers, starts = np.unique(pairs[:, 0], return_index=True)
    asked = [texts[number] for number in numbers.tolist()]
    candidates = np.split(pairs[:, 1], starts[1:])
    scores = np.concatenate(candidate_scores(judge, asked, candidates, seen, context, view))
    size = len(seen.corpus)
    keys = pairs[:, 0] * size + pairs[:, 1]  # ascending, as the pairs are
    return scores[np.searchsorted(keys, queries[:, None] * size + documents)].astype(np.float32)


@dataclass(frozen=True)
class Line:
    """What a teacher's margins are for a student: `slope` · margin + `intercept`.

    Args:
        slope: 0 or more.
        intercept: in units of the student's margins.
        correlation: of the teacher's and the student's margins.
    """

    slope: float
    intercept: float
    correlation: float

    def __call__(self, margins: Floats) -> Floats:
        """The labels of margins."""
        return (self.slope * margins + self.intercept).astype(np.float32)

    def notes(self, recipe: str) -> tuple[str, ...]:
        """A note if the margins do not agree at all."""
        if self.slope > 0:
            return ()
        return (f"{recipe}: the teacher's margins do not agree with the student's at all; expect no gain of them",)

    @property
    def facts(self) -> dict[str, float]:
        """JSON-safe."""
        return {
            "slope": round(self.slope, 5),
            "intercept": round(self.intercept, 4),
            "correlation": round(self.correlation, 4),
        }


def fitted_line(teacher: Floats, student: Floats) -> Line:
    """The line by least squares that predicts the student's margins before training from the teacher's.

    A teacher's logits and a student's cosines differ in spread and in mean; labels on the teacher's own scale would
    first of all teach the student another scale. Where the two do not agree at all the slope is 0 (no information), not
    negative.

    Args:
        teacher: (N,) margins.
        student: (N,) margins of the same triples.
    """
    teacher, student = teacher.astype(np.float64), student.astype(np.float64)
    spread = float(teacher.std())
    if len(teacher) < 2 or spread == 0:
        return Line(1.0, 0.0, 0.0)
    covariance = float(((teacher - teacher.mean()) * (student - student.mean())).mean())
    slope = max(0.0, covariance / spread**2)
    own = float(student.std())
    correlation = covariance / (spread * own) if own > 0 else 0.0
    return Line(slope, float(student.mean() - slope * teacher.mean()), correlation)


def scale_of(base: Trainable) -> float:
    """Factor of a student's similarity in losses of margins: dot products get none."""
    return COSINE_SCALE if base.cosine else 1.0


def margin_loss(base: Trainable) -> Callable[[Any], Any]:
    """MarginMSE (Hofstätter et al., 2010.02666, eq. 3) over `scale_of` times what the model ranks by: the cosine or the
    dot product of its vectors.
    """
    scale = scale_of(base)

    def build(model: Any) -> Any:
        from sentence_transformers.sentence_transformer.losses import MarginMSELoss
        from sentence_transformers.util import pairwise_cos_sim, pairwise_dot_score

        score = pairwise_cos_sim if base.cosine else pairwise_dot_score
        return MarginMSELoss(model, similarity_fct=lambda a, b: scale * score(a, b))

    return build
