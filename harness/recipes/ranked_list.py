"""Ranked List Loss: a query's relevant documents within one radius, all others beyond a larger one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from harness.base.errors import SettingError
from harness.choices.bounds import Count
from harness.data.dataset import TrainView
from harness.losses.ranked_list import NO_DOCUMENT, scaled_alpha
from harness.losses.ranked_list import RankedList as RankedListLoss
from harness.runtime.context import Context
from harness.training.base import Trainable, by_cosine
from harness.training.candidates import candidate_scores
from harness.training.examples import NEGATIVE, POSITIVE, QUERY, sides
from harness.training.from_gold import FromGold, Mined
from harness.training.lesson import Lesson
from harness.training.schedule import Budget, Schedule


@dataclass(frozen=True)
class RankedList(FromGold):
    """Ranked List Loss over queries with lists of relevant documents, in-batch and mined negatives.

    Source: Wang et al. (1903.03238), made for image retrieval with many positives to a class. For text, a query's
    relevant documents are its positives, every other document of the batch and the mined ones its negatives. On the
    unit sphere d² = 2 − 2·cos, and encoders differ in where their cosines lie, so that α is set by the distances of
    mined negatives before training.

    Args:
        positives: relevant documents of a query in one example; a query with fewer repeats them, and a repeated
            document counts once.
        alpha: negatives are pushed beyond this distance; None takes the median distance of the mined negatives plus
            half of `margin`.
        margin: positives are pulled within alpha − margin.
        temperature: weighting of the negatives: 0 equal, large only the hardest.
        balance: λ, the share of the negatives' term.
    """

    positives: Count = 2
    alpha: float | None = None
    margin: float = 0.4
    temperature: float = 10.0
    balance: float = 0.5
    negatives: int = 3

    schedules: ClassVar[Mapping[Budget, Schedule]] = {
        "smoke": Schedule(steps=4, batch=4, max_length=32, evaluations=1, dev_pool=100),
        "small": Schedule(
            epochs=4, batch=24, learning_rate=6e-5, max_length=192, dropout=0.0, evaluations=4, dev_pool=1500
        ),
        "full": Schedule(epochs=20, batch=60, learning_rate=3e-5, max_length=256, evaluations=10, dev_pool=100_000),
    }

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.negatives < 1:
            raise SettingError(
                f"ranked_list: negatives must be 1 or more, not {self.negatives}: their distances set alpha"
            )
        self._loss(1.2 if self.alpha is None else self.alpha, 0)

    def _loss(self, alpha: float, others: int) -> RankedListLoss:
        return RankedListLoss(
            alpha=alpha,
            margin=self.margin,
            temperature=self.temperature,
            balance=self.balance,
            positives=self.positives,
            other_positives=others,
        )

    def lesson(self, base: Trainable, view: TrainView, context: Context) -> Lesson:
        """See `Recipe.lesson`."""
        by_cosine(base, self.name())
        mined = self.mined(base, view, context, one_per_query=True)
        relevant = mined.gold.relevant
        positives = np.array([np.resize(rows, self.positives) for rows in relevant], dtype=np.int64)
        columns = {QUERY: list(mined.gold.queries.texts)}
        for place, rows in enumerate(positives.T, 1):
            columns[f"{POSITIVE}_{place}"] = view.corpus.texts_of(rows)[:]
        for place, rows in enumerate(mined.negatives.rows.T, 1):
            columns[f"{NEGATIVE}_{place}"] = view.corpus.texts_of(rows)[:]
        alpha = self.alpha
        if alpha is None:
            alpha = self._alpha(base, mined, view, context)
        # Relevant documents beyond `positives` are not negatives if another query brings them into the batch.
        others = max(len(rows) - self.positives for rows in relevant)
        others = max(others, 0)
        labels = np.full((len(relevant), positives.shape[1] + self.negatives + others), NO_DOCUMENT, dtype=np.int64)
        labels[:, : self.positives] = positives
        labels[:, self.positives : self.positives + self.negatives] = mined.negatives.rows
        for label, rows in zip(labels, relevant, strict=True):
            further = rows[self.positives :]
            start = self.positives + self.negatives
            label[start : start + len(further)] = further
        loss = self._loss(alpha, others)
        return Lesson(
            columns,
            loss.build,
            self.schedule(),
            labels=labels.tolist(),
            sides=sides(columns),
            order="random",
            facts={**mined.facts, "alpha": round(alpha, 4), "inner_radius": round(alpha - self.margin, 4)},
            trained_queries=mined.gold.trained_queries(view),
        )

    def _alpha(self, base: Trainable, mined: Mined, view: TrainView, context: Context) -> float:
        """α from the median distance of the mined negatives."""
        texts = [mined.gold.queries.texts[number] for number, _ in mined.pairs]
        scores = candidate_scores(base.untrained, texts, list(mined.negatives.rows), view, context)
        distances = np.sqrt(np.maximum(0.0, 2 - 2 * np.clip(np.concatenate(scores), -1, 1)))
        alpha = scaled_alpha(distances) + self.margin / 2
        return float(min(2.0, max(alpha, self.margin + 0.05)))
