"""Triplet loss: a query is nearer to its document than to a mined one, by a margin; the control of `ranked_list`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from harness.choices.bounds import Count, NonNegative, Positive
from harness.data.dataset import TrainView
from harness.runtime.context import Context
from harness.training.base import Trainable, by_cosine
from harness.training.examples import NEGATIVE, POSITIVE, QUERY, sides
from harness.training.from_gold import FromGold
from harness.training.lesson import Lesson
from harness.training.schedule import Budget, Schedule, small


@dataclass(frozen=True)
class Triplet(FromGold):
    """Triplet loss on gold pairs, each with one mined negative at a time; no other document of the batch counts.

    Source: Schroff et al., "FaceNet" (1503.03832), section 3.1, with cosine distances (half the squared distances of
    unit vectors, so that the paper's margin of 0.2 is 0.1 here). Wang et al. (1903.03238) compare their ranked list
    loss with it: most triplets soon have no gradient. The record has the share that has one, step by step.

    Args:
        margin: by how much the cosine of the relevant document must be higher.
        decay: weight of the squared distance of the weights from those before training.
    """

    margin: Positive = 0.2
    decay: NonNegative = 0.001
    negatives: Count = 1

    schedules: ClassVar[Mapping[Budget, Schedule]] = {
        "smoke": Schedule(steps=4, batch=4, max_length=32, evaluations=1, dev_pool=100),
        "small": small(epochs=6, batch=24, learning_rate=6e-5),
        "full": Schedule(epochs=20, batch=60, learning_rate=3e-5, max_length=256, evaluations=10, dev_pool=100_000),
    }

    def lesson(self, base: Trainable, view: TrainView, context: Context) -> Lesson:
        """See `Recipe.lesson`."""
        by_cosine(base, self.name())
        mined = self.mined(base, view, context)
        texts = mined.triplets(view)
        names = [name for name in texts if name.startswith(NEGATIVE)]
        columns: dict[str, list[str]] = {
            QUERY: texts[QUERY] * len(names),
            POSITIVE: texts[POSITIVE] * len(names),
            f"{NEGATIVE}_1": [text for name in names for text in texts[name]],
        }

        def loss(model: Any) -> Any:
            from harness.losses._pairwise import triplets
            from harness.losses._towards_start import towards_start

            return towards_start(triplets(model, self.margin), model, self.decay)

        return Lesson(
            columns,
            loss,
            self.schedule(),
            sides=sides(columns),
            order="random",
            after=lambda model, loss, probe: {"non_trivial": loss.loss.non_trivial.points()},
            facts=mined.facts,
            trained_queries=mined.gold.trained_queries(view),
        )
