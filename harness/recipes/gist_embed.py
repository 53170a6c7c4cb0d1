"""GISTEmbed: a guide model takes false negatives out of the batch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from harness.base.errors import SettingError
from harness.choices.bounds import Positive
from harness.data.dataset import TrainView
from harness.methods import Method
from harness.recipes import Need
from harness.runtime.context import Context
from harness.training.base import Trainable, by_cosine
from harness.training.examples import sides
from harness.training.from_gold import FromGold
from harness.training.guide import guide_vectors
from harness.training.lesson import Lesson
from harness.training.schedule import Budget, Schedule


@dataclass(frozen=True)
class GISTEmbed(FromGold):
    """Contrastive loss over four blocks of similarities, without the entries that a guide scores higher than the
    gold pair.

    Source: Solatorio (2402.16829), section 3: query–positive, query–query, positive–positive and query–negative
    similarities over a temperature of 0.01; an entry whose guide similarity exceeds guide(qᵢ, pᵢ) is masked. The paper
    tunes on a mixture of tasks and reports over all of MTEB; here it is the user's own pairs and retrieval.

    Args:
        guide: a dense row whose vectors judge the batch, each text encoded once; None takes the model before training.
        temperature: of the softmax.
        margin: an entry is masked from guide(qᵢ, pᵢ) − margin on.
    """

    guide: Method | None = None
    temperature: Positive = 0.01
    margin: float = 0.0

    needs: ClassVar[frozenset[Need]] = frozenset({"train labels", "guide"})
    schedules: ClassVar[Mapping[Budget, Schedule]] = {
        "smoke": Schedule(steps=4, batch=4, max_length=32, evaluations=1, dev_pool=100),
        "small": Schedule(
            epochs=4, batch=24, learning_rate=6e-5, max_length=256, dropout=0.0, evaluations=4, dev_pool=1500
        ),
        "full": Schedule(epochs=40, batch=32, learning_rate=5e-6, max_length=512, evaluations=10, dev_pool=100_000),
    }

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.negatives > 1:
            raise SettingError("gist_embed: negatives must be 0 or 1; the loss takes triplets")

    def lesson(self, base: Trainable, view: TrainView, context: Context) -> Lesson:
        """See `Recipe.lesson`."""
        by_cosine(base, self.name())
        mined = self.mined(base, view, context)
        columns = mined.triplets(view)
        column_sides = sides(columns)
        guide_cache = guide_vectors(self.guide or base.untrained, columns, column_sides, view, context)

        def loss(model: Any) -> Any:
            from sentence_transformers.sentence_transformer.losses import GISTEmbedLoss

            prompts = {column: base.prompts[side] for column, side in column_sides.items()}
            guide = guide_cache.module(model, prompts, column_sides)
            return GISTEmbedLoss(model, guide, temperature=self.temperature, margin=self.margin)

        return Lesson(
            columns,
            loss,
            self.schedule(),
            sides=column_sides,
            facts={**mined.facts, **guide_cache.facts},
            trained_queries=mined.gold.trained_queries(view),
        )
