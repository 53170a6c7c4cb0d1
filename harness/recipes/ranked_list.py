"""Ranked List Loss: a query's relevant documents within one radius, all others beyond a larger one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import numpy as np
from annotated_types import Interval

from harness.choices.bounds import Count, NonNegative, Positive, Share
from harness.data.dataset import TrainView
from harness.data.ranking import Ints
from harness.losses.ranked_list import NO_DOCUMENT, scaled_alpha
from harness.losses.ranked_list import RankedList as RankedListLoss
from harness.recipes._radii import Distances, sampled_distances
from harness.runtime.context import Context
from harness.training.base import Trainable, by_cosine
from harness.training.examples import NEGATIVE, POSITIVE, QUERY, sides
from harness.training.from_gold import FromGold
from harness.training.lesson import Lesson
from harness.training.schedule import Budget, Schedule, small

OUTSIDE = 0.98
"""Without an `alpha`, this share of random documents is beyond it before training."""
MANY = 0.2
"""Share of random documents within alpha from which on the record has a note."""


@dataclass(frozen=True)
class RankedList(FromGold):
    """Ranked List Loss over queries with lists of relevant documents, in-batch and mined negatives.

    Source: Wang et al. (1903.03238), made for image retrieval with many positives to a class. For text, a query's
    relevant documents are its positives, every other document of the batch and the mined ones its negatives. The radii
    are distances on the unit sphere, d² = 2 − 2·cos: negatives are pushed below a cosine of 0.4, positives pulled
    above 0.68. The paper's α = 1.2 and m = 0.4 have the same inner radius; a negative need not go as far for texts,
    which share more than images of other classes do. Random documents must be mostly outside: the record has the share
    of them that is within α before training.

    Args:
        positives: relevant documents of a query in one example; a query may have fewer.
        alpha: negatives are pushed beyond this distance. None takes the distance beyond which 98 % of random documents
            are before training, for encoders whose cosines are all high (e5, bge).
        margin: positives are pulled within alpha − margin.
        temperature: weighting of the negatives: 0 equal, large only the hardest.
        balance: λ, the share of the negatives' term.
        decay: weight of the squared distance of the weights from those before training.
    """

    positives: Count = 2
    alpha: Annotated[float, Interval(gt=0, le=2)] | None = 1.1
    margin: Positive = 0.3
    temperature: NonNegative = 10.0
    balance: Share = 0.5
    decay: NonNegative = 0.001
    negatives: Count = 3

    schedules: ClassVar[Mapping[Budget, Schedule]] = {
        "smoke": Schedule(steps=4, batch=4, max_length=32, evaluations=1, dev_pool=100),
        "small": small(epochs=6, batch=24, learning_rate=6e-5),
        "full": Schedule(epochs=20, batch=60, learning_rate=3e-5, max_length=256, evaluations=10, dev_pool=100_000),
    }

    def __post_init__(self) -> None:
        super().__post_init__()
        self._loss(2.0 if self.alpha is None else self.alpha, 0)

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
        # A query with fewer relevant documents repeats them: a document counts, and is encoded, once in a batch.
        positives = np.array([np.resize(rows, self.positives) for rows in relevant], dtype=np.int64)
        columns = {QUERY: list(mined.gold.queries.texts)}
        for place, rows in enumerate(positives.T, 1):
            columns[f"{POSITIVE}_{place}"] = view.corpus.texts_of(rows)[:]
        for place, rows in enumerate(mined.negatives.rows.T, 1):
            columns[f"{NEGATIVE}_{place}"] = view.corpus.texts_of(rows)[:]
        distances = sampled_distances(base.untrained, mined.gold, view, context)
        alpha = self.alpha
        if alpha is None:
            alpha = max(scaled_alpha(distances.random, 1 - OUTSIDE), 1.01 * self.margin)
        labels, others = self._labels(relevant, positives, mined.negatives.rows)
        settings = self._loss(alpha, others)

        def loss(model: Any) -> Any:
            from harness.losses._towards_start import towards_start

            return towards_start(settings.build(model), model, self.decay)

        return Lesson(
            columns,
            loss,
            self.schedule(),
            labels=labels.tolist(),
            sides=sides(columns),
            order="random",
            after=lambda model, loss, probe: {"non_trivial": loss.loss.non_trivial.points()},
            facts={**mined.facts, "alpha": round(alpha, 4), **self._radii(distances, alpha)},
            notes=self._notes(base, distances, alpha),
            trained_queries=mined.gold.trained_queries(view),
        )

    def _labels(self, relevant: tuple[Ints, ...], positives: Ints, negatives: Ints) -> tuple[Ints, int]:
        """Labels as the loss takes them, and how many numbers of further relevant documents end them.

        Relevant documents beyond `positives` are not negatives if another query brings them into the batch.
        """
        others = max(0, *(len(rows) - self.positives for rows in relevant))
        further = np.full((len(relevant), others), NO_DOCUMENT, dtype=np.int64)
        for label, rows in zip(further, relevant, strict=True):
            rest = rows[self.positives :]
            label[: len(rest)] = rest
        return np.concatenate([positives, negatives, further], axis=1), others

    def _radii(self, distances: Distances, alpha: float) -> dict[str, float]:
        """JSON-safe: how documents lie to the radii before training."""
        inner = alpha - self.margin
        return {
            "inner_radius": round(inner, 4),
            "random_inside": round(float((distances.random < alpha).mean()), 4),
            "positives_outside": round(float((distances.positive > inner).mean()), 4),
        }

    def _notes(self, base: Trainable, distances: Distances, alpha: float) -> tuple[str, ...]:
        inside = float((distances.random < alpha).mean())
        if inside <= MANY:
            return ()
        return (
            f"ranked_list: {inside:.0%} of random documents are within alpha={alpha:.2f} of a query before training, "
            f"so {base.name} must first be spread over the sphere; lower alpha, or set alpha=None",
        )
