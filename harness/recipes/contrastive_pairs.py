"""Contrastive loss of single pairs: relevant ones together, mined ones apart; the control of `ranked_list`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from annotated_types import Interval

from harness.choices.bounds import Count, NonNegative
from harness.data.dataset import TrainView
from harness.runtime.context import Context
from harness.training.base import Trainable, by_cosine
from harness.training.examples import POSITIVE, QUERY, sides
from harness.training.from_gold import FromGold
from harness.training.lesson import Lesson
from harness.training.schedule import Budget, Schedule, small


@dataclass(frozen=True)
class ContrastivePairs(FromGold):
    """Each pair by itself: the distance of a relevant one is lowered, that of a mined one is raised up to a margin.

    Source: Hadsell, Chopra and LeCun, "Dimensionality Reduction by Learning an Invariant Mapping" (CVPR 2006),
    equation 4, with cosine distances. Wang et al. (1903.03238) compare their ranked list loss with it: a pair tells
    nothing of the order of documents, and most negative pairs soon have no gradient. The record has the share that has
    one, step by step.

    Args:
        margin: the cosine distance, 1 − cos, from which on a mined document is far enough.
        decay: weight of the squared distance of the weights from those before training.
    """

    margin: Annotated[float, Interval(gt=0, le=2)] = 0.5
    decay: NonNegative = 0.001
    negatives: Count = 1

    schedules: ClassVar[Mapping[Budget, Schedule]] = {
        "smoke": Schedule(steps=4, batch=4, max_length=32, evaluations=1, dev_pool=100),
        "small": small(epochs=6, batch=48, learning_rate=6e-5),
        "full": Schedule(epochs=20, batch=120, learning_rate=3e-5, max_length=256, evaluations=10, dev_pool=100_000),
    }

    def lesson(self, base: Trainable, view: TrainView, context: Context) -> Lesson:
        """See `Recipe.lesson`."""
        by_cosine(base, self.name())
        mined = self.mined(base, view, context)
        queries, *documents = mined.triplets(view).values()
        columns = {QUERY: queries * len(documents), POSITIVE: [text for column in documents for text in column]}
        labels = [1.0] * len(queries) + [0.0] * (len(columns[QUERY]) - len(queries))

        def loss(model: Any) -> Any:
            from harness.losses._pairwise import pairs
            from harness.losses._towards_start import towards_start

            return towards_start(pairs(model, self.margin), model, self.decay)

        return Lesson(
            columns,
            loss,
            self.schedule(),
            labels=labels,
            sides=sides(columns),
            order="random",
            after=lambda model, loss, probe: {"non_trivial": loss.loss.non_trivial.points()},
            facts=mined.facts,
            trained_queries=mined.gold.trained_queries(view),
        )
