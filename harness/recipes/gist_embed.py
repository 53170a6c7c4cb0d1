"""GISTEmbed: a guide model takes false negatives out of the batch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from harness.choices.bounds import Count, Positive
from harness.data.dataset import TrainView
from harness.methods import Method
from harness.recipes import RECIPES, Need, Recipe
from harness.runtime.context import Context
from harness.training.base import Trainable, by_cosine
from harness.training.examples import sides
from harness.training.from_gold import FromGold
from harness.training.guide import guide_vectors
from harness.training.lesson import Lesson
from harness.training.schedule import Budget, Schedule, small
from harness.training.trained import with_recipes

TEMPERATURES: Mapping[Budget, float] = {"smoke": 0.05, "small": 0.05, "full": 0.01}
"""The paper's 0.01 belongs to its learning rate of 5e-6 and its 100,000 steps; a few hundred steps want a softer one,
that of `supervised`.
"""


@dataclass(frozen=True)
class GISTEmbed(FromGold):
    """Contrastive loss over four blocks of similarities, without the entries that a guide scores higher than the
    gold pair.

    Source: Solatorio (2402.16829), section 3: query–positive, query–query, positive–positive and query–negative
    similarities over a temperature; an entry whose guide similarity exceeds guide(qᵢ, pᵢ) is masked. The paper tunes
    on a mixture of tasks, with a larger model as the guide, and reports over all of MTEB; here it is the user's own
    pairs and retrieval. The guide is not the untrained model by default: that masks the mined negatives which it ranks
    above the positive, the very ones that training should learn from.

    Args:
        guide: a dense row whose vectors judge the batch, each text encoded once: `dense(model="…")`,
            `dense+supervised`, or `dense` for the model before training. None takes the model before training with a
            head trained on the same gold queries (`frozen_head`).
        temperature: of the softmax; None takes the budget's: 0.05, and at `full` the paper's 0.01.
        margin: an entry is masked from guide(qᵢ, pᵢ) − margin on; a negative one masks less.
        margin_is: `absolute`, or `relative`: a share of guide(qᵢ, pᵢ).
        mini_batch: texts encoded at once: gradient caching (Gao et al., 2101.06983) makes large batches fit into
            memory, at the price of a second forward pass. None takes the whole batch; with two or more `negatives`,
            which only the cached loss takes, a quarter of it.
    """

    guide: Method | None = None
    temperature: Positive | None = None
    margin: float = 0.0
    margin_is: Literal["absolute", "relative"] = "absolute"
    mini_batch: Count | None = None

    needs: ClassVar[frozenset[Need]] = frozenset({"train labels", "guide"})
    schedules: ClassVar[Mapping[Budget, Schedule]] = {
        "smoke": Schedule(steps=4, batch=4, max_length=32, evaluations=1, dev_pool=100),
        "small": small(epochs=6, batch=24, learning_rate=6e-5),
        "full": Schedule(epochs=40, batch=32, learning_rate=5e-6, max_length=512, evaluations=10, dev_pool=100_000),
    }

    def helpers(self) -> Iterator[Recipe]:
        """See `Recipe.helpers`; without a `guide`, the head too."""
        yield from super().helpers()
        if self.guide is None:
            yield self._head()

    def _head(self) -> Recipe:
        """How the head of the default guide is trained: on no query that this recipe does not see."""
        head: Any = RECIPES.get("frozen_head")
        return head(budget=self.budget, choose=self.choose, queries=self.queries)  # type: ignore[no-any-return]

    def lesson(self, base: Trainable, view: TrainView, context: Context) -> Lesson:
        """See `Recipe.lesson`."""
        by_cosine(base, self.name())
        mined = self.mined(base, view, context)
        columns = mined.triplets(view)
        column_sides = sides(columns)
        guide = self.guide or with_recipes(base.untrained, (self._head(),))
        guide_cache = guide_vectors(guide, columns, column_sides, view, context)
        settings: dict[str, Any] = {
            "temperature": self.temperature or TEMPERATURES[self.budget],
            "margin": self.margin,
            "margin_strategy": self.margin_is,
        }
        schedule = self.schedule()
        mini_batch = self.mini_batch
        if mini_batch is None and self.negatives > 1:
            mini_batch = max(1, schedule.batch // 4)

        def loss(model: Any) -> Any:
            from sentence_transformers.sentence_transformer.losses import CachedGISTEmbedLoss, GISTEmbedLoss

            prompts = {column: base.prompts[side] for column, side in column_sides.items()}
            module = guide_cache.module(model, prompts, column_sides)
            if mini_batch is None:
                return GISTEmbedLoss(model, module, **settings)
            return CachedGISTEmbedLoss(model, module, mini_batch_size=mini_batch, **settings)

        masked = guide_cache.masked_negatives(self.margin, relative=self.margin_is == "relative")
        return Lesson(
            columns,
            loss,
            schedule,
            sides=column_sides,
            facts={**mined.facts, **guide_cache.facts, "masked_negatives": masked},
            trained_queries=mined.gold.trained_queries(view),
        )
