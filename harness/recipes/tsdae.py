"""TSDAE: a decoder reconstructs a text from the vector of its damaged copy; often a first step before GPL."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from annotated_types import Interval

from harness.base.errors import ModelError, SettingError, Unavailable
from harness.choices.bounds import Count, Positive, Share
from harness.choices.value import LATER
from harness.data.dataset import TrainView
from harness.models.encoder import Encoder
from harness.recipes import Recipe
from harness.recipes._denoising import Denoising, use_of_vectors
from harness.runtime.context import Context
from harness.training.base import EncoderBase, Trainable
from harness.training.lesson import Lesson
from harness.training.passes import fewest_tokens
from harness.training.pooled import Removed, put_back, without_normalisation
from harness.training.schedule import Budget, Schedule, small

TEXTS: Mapping[Budget, int] = {"smoke": 20, "small": 1500, "full": 800_000}
HEADS = ("ForMaskedLM", "ForCausalLM", "LMHeadModel", "ForPreTraining")
"""How the name of an architecture ends that has a language-model head."""
FRESH_RATE = 5e-4
"""Learning rate of a decoder whose head is new."""
FRESH_ALONE = 0.4
"""Share of the steps in which such a decoder learns alone."""
USED = 0.01
"""Share by which another text's vector must raise the loss for a decoder that uses the vectors."""


@dataclass(frozen=True)
class TSDAE(Recipe):
    """Transformer-based sequential denoising auto-encoder.

    Source: Wang, Reimers and Gurevych (2104.06979), sections 3 and 4: words are deleted, encoder and decoder share
    weights, vectors are not normalised. The paper is about sentence vectors; before GPL it adapts the encoder to the
    words of the corpus (2112.07577, table 1). The damage is drawn again each time that a text is used.

    The paper starts from language models. An encoder that was trained for vectors has no language-model head any more:
    with a random one that shares its weights with the encoder, training destroys the encoder before the decoder has
    learnt to read a vector. Such an encoder is refused, unless `decoder="fresh"`: the decoder is then a copy of the
    encoder with a new head, which shares no weight with it and learns alone first.

    Args:
        delete: share of the words that the damaged copy loses.
        texts: how many documents are used; None takes the budget's.
        decoder: `own` is the model's own language model, tied to the encoder, as in the paper; `fresh` is a new one.
        decoder_rate: learning rate of the weights that only the decoder has; None takes that of the encoder, for a
            fresh decoder 5e-4.
        alone: share of the steps, from the first one on, in which only a fresh decoder learns; None takes 0.4.
    """

    delete: Annotated[float, Interval(gt=0, lt=1)] = 0.6
    texts: Count | None = None
    decoder: Literal["own", "fresh"] = field(default="own", metadata=LATER)
    decoder_rate: Positive | None = field(default=None, metadata=LATER)
    alone: Share | None = field(default=None, metadata=LATER)

    unused = frozenset({"matryoshka"})
    schedules: ClassVar[Mapping[Budget, Schedule]] = {
        "smoke": Schedule(steps=3, batch=4, max_length=32, evaluations=1, dev_pool=100),
        "small": small(steps=600, batch=8, learning_rate=3e-5, max_length=128),
        "full": Schedule(steps=100_000, batch=8, learning_rate=3e-5, decay="constant", max_length=350, evaluations=10),
    }

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.lora is not None and self.decoder == "own":
            raise SettingError('tsdae: lora freezes the weights that a tied decoder has to learn; set decoder="fresh"')

    def lesson(self, base: Trainable, view: TrainView, context: Context) -> Lesson:
        """See `Recipe.lesson`."""
        assert isinstance(base, EncoderBase)
        fresh = self.decoder == "fresh"
        if not fresh and not has_language_head(base.encoder):
            raise Unavailable(
                f"tsdae: {base.name} has no language-model head, so that its decoder would start from random weights "
                "and training would destroy the vectors.",
                'Start from a language model, as dense(model="bert-base-uncased"), or write tsdae(decoder="fresh"): a '
                "new decoder that learns alone first.",
            )
        schedule = self.schedule()
        rng = context.rng("tsdae")
        count = min(len(view.corpus), self.texts or TEXTS[self.budget])
        rows = np.sort(rng.permutation(len(view.corpus))[:count])
        texts = [text for text in view.corpus.texts_of(rows)[:] if text.strip()]
        share = FRESH_ALONE if self.alone is None else self.alone
        steps = schedule.total(len(texts), fewest_tokens(texts, schedule))
        alone = round(share * steps) * schedule.accumulate if fresh else 0
        seed = int(rng.integers(2**31))
        denoising = Denoising(base.weights, not fresh, self.delete, alone, base.prompts["document"], seed)
        rate = self.decoder_rate or (FRESH_RATE if fresh else None)
        removed: Removed = []
        return Lesson(
            {"text": texts},
            lambda model: _loss(denoising, model, base.name),
            schedule,
            sides={"text": "document"},
            order="random",
            learning_rates={} if rate is None else {r"^decoder\.": rate},
            before=lambda model: without_normalisation(model, removed),
            after=_after(removed, texts),
            facts={"texts": len(texts), "decoder": self.decoder},
        )


def has_language_head(encoder: Encoder) -> bool:
    """Whether an encoder's folder has a layer that gives a logit for each token, as its configuration says."""
    architectures = encoder.folder.config("config.json").get("architectures") or []
    return any(str(name).endswith(HEADS) for name in architectures)


def _loss(denoising: Denoising, model: Any, name: str) -> Any:
    try:
        hidden, size = model.transformers_model.config.hidden_size, model.get_embedding_dimension()
        if hidden != size:
            raise ValueError(f"vectors of {size} dimensions, tokens of {hidden}")
        return denoising.build(model)
    except (ValueError, AttributeError, OSError, AssertionError) as error:
        raise ModelError(
            f"tsdae: {name} has no decoder of its own architecture to reconstruct texts from its vectors ({error}); "
            "BERT and RoBERTa have one. Use another model, or another recipe: `harness list recipes`."
        ) from error


def _after(removed: Removed, texts: list[str]) -> Callable[..., dict[str, Any]]:
    """Puts the normalisation back, and reports whether the decoder uses the vectors."""

    def after(model: Any, loss: Any, probe: Any) -> dict[str, Any]:
        facts: dict[str, Any] = {}
        if len(texts) > 1:
            own, other = use_of_vectors(model, loss, texts)
            facts = {"loss_with_own_vector": round(own, 4), "loss_with_another": round(other, 4)}
            if other < own * (1 + USED):
                facts["notes"] = [
                    f"tsdae: texts are rebuilt from the vectors of other texts as well as from their own (loss "
                    f"{other:.2f} and {own:.2f}): the decoder has not learnt to read vectors, so that the encoder "
                    "learnt nothing from it; take more steps"
                ]
        put_back(model, removed)
        return facts

    return after
