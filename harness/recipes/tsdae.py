"""TSDAE: a decoder reconstructs a text from the vector of its damaged copy; often a first step before GPL."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import numpy as np
from annotated_types import Interval

from harness.base.errors import ModelError
from harness.choices.bounds import Count
from harness.data.dataset import TrainView
from harness.recipes import Recipe
from harness.runtime.context import Context
from harness.training.base import Trainable
from harness.training.lesson import Lesson
from harness.training.schedule import Budget, Schedule

TEXTS: Mapping[Budget, int] = {"smoke": 20, "small": 1500, "full": 800_000}


@dataclass(frozen=True)
class TSDAE(Recipe):
    """Transformer-based sequential denoising auto-encoder.

    Source: Wang, Reimers and Gurevych (2104.06979), sections 3 and 4: words are deleted, encoder and decoder share
    weights. The paper is about sentence vectors; before GPL it adapts the encoder to the words of the corpus
    (2112.07577, table 1).

    Args:
        delete: share of the words that the damaged copy loses.
        texts: how many documents are used; None takes the budget's.
    """

    delete: Annotated[float, Interval(gt=0, lt=1)] = 0.6
    texts: Count | None = None

    schedules: ClassVar[Mapping[Budget, Schedule]] = {
        "smoke": Schedule(steps=3, batch=4, max_length=32, evaluations=1, dev_pool=100),
        "small": Schedule(
            epochs=1, batch=8, learning_rate=3e-5, max_length=128, dropout=0.0, evaluations=2, dev_pool=1500
        ),
        "full": Schedule(steps=100_000, batch=8, learning_rate=3e-5, decay="constant", max_length=350, evaluations=10),
    }

    def lesson(self, base: Trainable, view: TrainView, context: Context) -> Lesson:
        """See `Recipe.lesson`."""
        rng = context.rng("tsdae")
        count = min(len(view.corpus), self.texts or TEXTS[self.budget])
        rows = np.sort(rng.permutation(len(view.corpus))[:count])
        whole = [text for text in view.corpus.texts_of(rows)[:] if text.strip()]
        columns = {"damaged": [damaged(text, self.delete, rng) for text in whole], "text": whole}

        def loss(model: Any) -> Any:
            from sentence_transformers.sentence_transformer.losses import DenoisingAutoEncoderLoss

            try:
                return DenoisingAutoEncoderLoss(model, decoder_name_or_path=base.weights, tie_encoder_decoder=True)
            except (ValueError, AttributeError, OSError) as error:
                raise ModelError(
                    f"tsdae: {base.name} has no decoder of its own architecture to reconstruct texts; BERT and RoBERTa "
                    "have one. Use another model, or another recipe: `harness list recipes`."
                ) from error

        return Lesson(
            columns,
            loss,
            self.schedule(),
            sides={"damaged": "document", "text": "document"},
            facts={"texts": len(whole)},
        )


def damaged(text: str, delete: float, rng: np.random.Generator) -> str:
    """The text without a random share of its words; at least one is kept."""
    words = text.split()
    keep = rng.random(len(words)) > delete
    if not keep.any():
        keep[int(rng.integers(len(words)))] = True
    return " ".join(word for word, is_kept in zip(words, keep, strict=True) if is_kept)
