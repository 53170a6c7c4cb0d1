"""ColBERT: a late-interaction encoder trained on gold pairs, compared by MaxSim."""

from __future__ import annotations

import string
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from annotated_types import Ge

from harness.choices.bounds import Positive
from harness.data.dataset import TrainView
from harness.runtime.context import Context
from harness.training.base import Trainable
from harness.training.examples import sides
from harness.training.from_gold import FromGold
from harness.training.lesson import Lesson
from harness.training.schedule import Budget, Schedule, small


@dataclass(frozen=True)
class ColBERT(FromGold):
    """Softmax over MaxSim scores: of all documents in the batch, the query's own must score highest.

    Source: Khattab and Zaharia, ColBERT (2004.12832), section 3; with in-batch negatives as in ColBERTv2 (2112.01488),
    section 3.2. It starts from a late-interaction encoder, unchanged; any other encoder gets a random projection of its
    token vectors to 128 dimensions, and the settings of ColBERT below.

    Args:
        scale: factor of the scores in the softmax.
        expand_to: tokens to which a shorter query is filled up with masks that are compared too; None adds none. The
            paper's 32; unlike the paper, a longer query is not truncated to it.
        skip_punctuation: whether the punctuation of documents is left out.
    """

    scale: Positive = 1.0
    expand_to: Annotated[int, Ge(3)] | None = 32
    skip_punctuation: bool = True

    trains = "late"
    schedules: ClassVar[Mapping[Budget, Schedule]] = {
        "smoke": Schedule(steps=4, batch=4, max_length=32, evaluations=1, dev_pool=100),
        "small": small(epochs=6, batch=24, learning_rate=6e-5, dev_pool=1500),
        "full": Schedule(epochs=10, batch=64, learning_rate=2e-5, max_length=256, evaluations=10, dev_pool=100_000),
    }

    def lesson(self, base: Trainable, view: TrainView, context: Context) -> Lesson:
        """See `Recipe.lesson`."""
        mined = self.mined(base, view, context)
        columns = mined.triplets(view)

        def loss(model: Any) -> Any:
            from sentence_transformers.multi_vector_encoder.losses import MultiVectorMultipleNegativesRankingLoss

            return MultiVectorMultipleNegativesRankingLoss(model, scale=self.scale)

        return Lesson(
            columns,
            loss,
            self.schedule(),
            sides=sides(columns),
            before=None if base.whole else self._shape,
            facts=mined.facts,
            trained_queries=mined.gold.trained_queries(view),
        )

    def _shape(self, model: Any) -> None:
        """Makes a ColBERT of a new multi-vector encoder: masks, skipped tokens."""
        from sentence_transformers.multi_vector_encoder.modules import MultiVectorMask

        transformer = model[0]
        if self.expand_to is not None:
            # The library refuses an expansion while a length is set.
            length, transformer.query_length = transformer.query_length, None
            transformer.query_expansion = {"strategy": "min", "attend": False, "length": length or self.expand_to}
            transformer.query_length = length
        for module in model:
            if isinstance(module, MultiVectorMask) and self.skip_punctuation:
                tokenizer = model.tokenizer
                known = {mark: tokenizer.convert_tokens_to_ids(mark) for mark in string.punctuation}
                module.skiplist_words = [mark for mark, number in known.items() if number != tokenizer.unk_token_id]
                module.resolve_with_tokenizer(tokenizer)
