"""Supervised: gold pairs, in-batch and mined hard negatives; what every other recipe must beat where there are
labels.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from harness.choices.bounds import Positive
from harness.data.dataset import TrainView
from harness.runtime.context import Context
from harness.training.base import Trainable, contrast
from harness.training.examples import sides
from harness.training.from_gold import FromGold
from harness.training.lesson import Lesson
from harness.training.schedule import Budget, Schedule, small


@dataclass(frozen=True)
class Supervised(FromGold):
    """Multiple-negatives ranking loss on the gold pairs: of all documents in the batch, the query's own must score
    highest.

    Source: Henderson et al., "Efficient Natural Language Response Suggestion" (1705.00652), section 4; with mined
    negatives as in DPR, Karpukhin et al. (2004.04906), section 3.2.

    Args:
        scale: factor of the cosine in the softmax, the inverse of its temperature; dot products get none.
    """

    scale: Positive = 20.0

    schedules: ClassVar[Mapping[Budget, Schedule]] = {
        "smoke": Schedule(steps=4, batch=4, max_length=32, evaluations=1, dev_pool=100),
        "small": small(epochs=6, batch=24, learning_rate=6e-5),
        "full": Schedule(epochs=10, batch=64, learning_rate=3e-5, max_length=256, evaluations=10, dev_pool=100_000),
    }

    def lesson(self, base: Trainable, view: TrainView, context: Context) -> Lesson:
        """See `Recipe.lesson`."""
        mined = self.mined(base, view, context)
        columns = mined.triplets(view)

        def loss(model: Any) -> Any:
            from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss

            return MultipleNegativesRankingLoss(model, **contrast(base, self.scale))

        return Lesson(
            columns,
            loss,
            self.schedule(),
            sides=sides(columns),
            facts=mined.facts,
            trained_queries=mined.gold.trained_queries(view),
        )
