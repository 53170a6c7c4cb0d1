"""Frozen head: a dense layer is trained on the cached vectors of an unchanged encoder; seconds instead of minutes."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np

from harness.base.errors import SettingError
from harness.choices.bounds import Count, NonNegative, Positive, WholeNumber
from harness.data.dataset import TrainView
from harness.models.encoder import Encoder
from harness.recipes._head_training import DevProbe, HeadTraining, PairVectors, cached_vectors, unchanged
from harness.runtime.context import Context
from harness.training.base import EncoderBase, Trainable
from harness.training.delivery import delivered
from harness.training.from_gold import FromGold, Mined
from harness.training.lesson import Lesson, Report
from harness.training.loop import own_randomness, save, seed_of
from harness.training.schedule import Budget, Schedule


@dataclass(frozen=True)
class FrozenHead(FromGold):
    """A dense layer over the frozen encoder's vectors, for both sides, trained by in-batch and mined negatives.

    Source: Modal's "Beating Proprietary Models with a Quick Fine-Tune" (Liu et al., 2024) freezes the encoder and
    trains a dense layer with tanh on question pairs, by their AUC; here the measure is retrieval, dev chooses, and the
    encoder's vectors are computed once and cached, so that an epoch is a few matrix products.

    Args:
        out: dimensions of the new vectors; None takes the encoder's.
        activation: after the layer: `none` (the layer starts as the identity if `out` allows it) or `tanh`.
        decay: weight of the squared distance of the layer from where it starts; weight decay pulls towards 0 instead.
        scale: factor of the cosine in the softmax.
        sides: `query` leaves the documents' vectors as they are, so that an index need not be built again; `both` sends
            documents through the layer too.
    """

    out: Count | None = None
    activation: Literal["none", "tanh"] = "none"
    decay: NonNegative = 0.01
    scale: Positive = 20.0
    negatives: WholeNumber = 3
    sides: Literal["both", "query"] = "both"

    frozen: ClassVar[bool] = True
    unused: ClassVar[frozenset[str]] = frozenset(
        {"accumulate", "max_length", "tokens", "dropout", "lora", "matryoshka"}
    )
    schedules: ClassVar[Mapping[Budget, Schedule]] = {
        "smoke": Schedule(epochs=2, batch=8, learning_rate=1e-3, evaluations=2, dev_pool=100, precision="fp32"),
        "small": Schedule(
            epochs=40, batch=128, learning_rate=5e-4, evaluations=20, patience=5, dev_pool=10_000, precision="fp32"
        ),
        "full": Schedule(
            epochs=100, batch=256, learning_rate=5e-4, evaluations=50, patience=10, dev_pool=1_000_000, precision="fp32"
        ),
    }

    def new_index(self) -> bool:
        """See `Recipe.new_index`; no document passes through the layer of the query side alone."""
        return self.sides == "both"

    def lesson(self, base: Trainable, view: TrainView, context: Context) -> Lesson:
        """Not used, since the encoder does not run in training; see `train`."""
        raise NotImplementedError

    def train(self, base: Trainable, view: TrainView, context: Context, place: Path, checkpoints: Path) -> Report:
        """See `Recipe.train`. There are no checkpoints: a run takes seconds."""
        import torch

        assert isinstance(base, EncoderBase)
        schedule = self.schedule()
        mined = self.mined(base, view, context)
        data = _pair_vectors(mined, unchanged(base, view, context), view)
        started = time.perf_counter()
        with own_randomness():
            torch.manual_seed(seed_of(context, "head"))
            head = self._new_head(data.documents.shape[1])
            start = {name: value.clone() for name, value in head.state_dict().items()}
            both = self.sides == "both"
            on_dev = self.choose == "dev"
            probe = DevProbe.of(base, view, schedule, context, documents=both) if on_dev else None
            dev_pool = None if probe is None else probe.pool
            self.announce(mined.gold.trained_queries(view), dev_pool, context, place)
            training = HeadTraining(head, data, probe, schedule, self.scale, self.decay, documents=both)
            report = training.run()
            if self._starts_as_identity(data.documents.shape[1]):
                report = delivered(head, report, probe, lambda: start, self.average, self.name())
                if not report.average:
                    head.load_state_dict(start)
        save(_with_head(base, head, context, both=both), place, self.name())
        for weights in place.glob("*.safetensors"):  # the encoder's, the same in every model with a head
            context.cache.share("models", place.parent, f"{place.name}/{weights.name}")
        return dataclasses.replace(
            report,
            seconds=round(time.perf_counter() - started, 2),
            dev_pool=None if dev_pool is None else dev_pool.describe(),
            facts={**mined.facts, "head_parameters": int(head.linear.weight.numel())},
        )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.sides == "query" and (self.out is not None or self.activation != "none"):
            raise SettingError("frozen_head: out and activation change both sides; leave them out for one side.")

    def _starts_as_identity(self, width: int) -> bool:
        """Whether the layer changes nothing before it is trained, for vectors of `width` dimensions."""
        return (self.out or width) <= width and self.activation == "none"

    def _new_head(self, width: int) -> Any:
        """A dense layer for vectors of `width` dimensions: the identity if the settings allow it, else orthogonal."""
        import torch
        from sentence_transformers.sentence_transformer.modules import Dense

        out = self.out or width
        activation = torch.nn.Tanh() if self.activation == "tanh" else torch.nn.Identity()
        head = Dense(width, out, bias=False, activation_function=activation)
        if self._starts_as_identity(width):
            torch.nn.init.eye_(head.linear.weight)
        else:
            torch.nn.init.orthogonal_(head.linear.weight)
        return head


def _pair_vectors(mined: Mined, encoder: Encoder, view: TrainView) -> PairVectors:
    """The cached vectors of the gold queries, and of all documents of their pairs."""
    positives = [row for _, row in mined.pairs]
    rows = np.unique(np.concatenate([positives, mined.negatives.rows.ravel()]).astype(np.int64))
    queries = cached_vectors(encoder, mined.gold.queries.texts, "query")
    documents = cached_vectors(encoder, view.corpus.texts_of(rows), "document")
    return PairVectors.of(mined, rows, queries, documents)


def _with_head(base: EncoderBase, head: Any, context: Context, *, both: bool) -> Any:
    """The encoder with the head behind it, as one model of sentence-transformers."""
    from sentence_transformers.base.modules import Router
    from sentence_transformers.sentence_transformer.modules import Normalize

    model = base.fresh(context)
    modules = list(model.children())
    # The head was trained on the encoder's cached vectors, which are normalised where the similarity is the cosine.
    if base.encoder.similarity == "cosine" and type(modules[-1]).__name__ != "Normalize":
        modules.append(Normalize())
    if both:
        modules += [head, Normalize()]
    else:
        modules.append(Router.for_query_document(query_modules=[head, Normalize()], document_modules=[Normalize()]))
    for number, module in enumerate(modules):
        model.add_module(str(number), module)
    model.prompts, model.default_prompt_name = dict(base.prompts), None
    return model
