"""Distillation: a teacher's scores of each gold query's relevant document and its mined negatives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from harness.data.dataset import TrainView
from harness.data.ranking import Floats
from harness.methods import Method
from harness.runtime.context import Context
from harness.training.candidates import scores_of_any
from harness.training.from_gold import Mined


@dataclass(frozen=True)
class Taught:
    """A teacher's scores of P groups of a positive and its negatives.

    Args:
        scores: (P, 1 + count) scores, divided by the temperature; the positive's come first.
        facts: JSON-safe: the teacher, the temperature, and the share of the groups whose positive the teacher puts
            first.
    """

    scores: Floats
    facts: dict[str, Any]

    def labels(self) -> list[list[float]]:
        """As a lesson takes them."""
        rows: list[list[float]] = self.scores.tolist()
        return rows


def taught(
    teacher: Method, mined: Mined, view: TrainView, context: Context, temperature: float | None = None
) -> Taught:
    """Scores that a teacher gives to mined groups; each pair is scored once and cached.

    Rows score on different scales: cosines lie within 1, logits and BM25 do not. A softmax of cosines would be flat and
    that of BM25's scores a single 1, so that scores are divided by a temperature.

    Args:
        teacher: any row.
        mined: gold pairs with their negatives.
        view: the corpus.
        context: cache.
        temperature: None takes the teacher's standard deviation within a group, the root of the mean over groups of
            its square.
    """
    texts = [mined.gold.queries.texts[number] for number, _ in mined.pairs]
    positives = np.array([row for _, row in mined.pairs], dtype=np.int64)
    groups = np.column_stack([positives, mined.negatives.rows])
    scores = np.stack(scores_of_any(teacher, texts, list(groups), view, context)).astype(np.float32)
    spread = float(np.sqrt(scores.var(axis=1).mean()))
    divisor = temperature or spread or 1.0
    first = float((scores[:, 0] >= scores.max(axis=1)).mean())
    facts = {"teacher": str(teacher), "temperature": round(divisor, 4), "positive_first_by_teacher": round(first, 4)}
    return Taught(scores / np.float32(divisor), facts)
