"""What is trained: an encoder or a cross-encoder as it is before training, and how to measure it on dev. Sparse and
late-interaction encoders are in `harness.training.ragged_base`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal

from harness.base.errors import SettingError
from harness.data.dataset import TrainView
from harness.methods import METHODS, Method
from harness.models.cross_encoder import PairScorer
from harness.models.encoder import Encoder, Side
from harness.models.headed import open_headed
from harness.models.prompts import needs_prompts
from harness.runtime.context import Context
from harness.training import dev
from harness.training.loop import bf16_suits, own_randomness, seed_of
from harness.training.schedule import Schedule

Kind = Literal["encoder", "cross_encoder", "sparse", "late"]
"""Kinds of models: dense encoders, cross-encoders, sparse encoders, late-interaction encoders."""
RERANKED = 20
"""Candidates of a dev query that a cross-encoder in training re-ranks."""


class Trainable(ABC):
    """A model before training.

    Args:
        first_stages: methods whose best documents fill the dev pool.
        untrained: the model as a row that scores pairs; for a new scoring head, the encoder behind it.

    Attributes:
        name: of the model, for messages and records.
        weights: its folder on disk.
        source: name or folder, as in a method's `model`.
        prompts: side → prompt that is put before a text.
        training_key: hash of everything that decides what it computes.
        cosine: whether an encoder ranks by the cosine; else by the dot product.
    """

    kind: ClassVar[Kind]
    name: str
    weights: str
    source: str
    prompts: dict[Side, str]
    training_key: str
    cosine: bool = True

    def __init__(self, first_stages: Sequence[Method], untrained: Method) -> None:
        self.first_stages = tuple(first_stages)
        self.untrained = untrained

    @classmethod
    @abstractmethod
    def of(cls, model: Any, row: Method) -> Trainable:
        """A method's model before the first recipe.

        Args:
            model: what `TrainableMethod.open_model` gives.
            row: the method, as it scores texts while its model is trained.
        """

    @abstractmethod
    def after(self, folder: Path, row: Method, context: Context, *, frozen: bool) -> Trainable:
        """The model that a recipe has trained, before the next one.

        Args:
            folder: of the trained model.
            row: the method with the recipes up to this one.
            context: opens the model.
            frozen: as `Recipe.frozen`.
        """

    @property
    @abstractmethod
    def model(self) -> Any:
        """What `TrainableMethod.fitted` takes: the model opened for answering."""

    @property
    def whole(self) -> bool:
        """Whether it can rank before training: no layer of it is random."""
        return True

    @property
    def row(self) -> Method | None:
        """The row that ranks by this very model, if it can score given documents quickly; else None."""
        return self.untrained if self.whole else None

    @abstractmethod
    def fresh(self, context: Context) -> Any:
        """The model, loaded again in fp32: training changes it."""

    @abstractmethod
    def probe(self, view: TrainView, schedule: Schedule, context: Context) -> dev.Probe | None:
        """Measures a model of this kind on dev; None without dev queries."""


def contrast(base: Trainable, scale: float) -> dict[str, Any]:
    """Similarity and scale of a contrastive loss: the similarity that the encoder ranks by; only cosines are scaled."""
    from sentence_transformers.util import cos_sim, dot_score

    return {"similarity_fct": cos_sim, "scale": scale} if base.cosine else {"similarity_fct": dot_score, "scale": 1.0}


def by_cosine(base: Trainable, recipe: str) -> None:
    """Raises SettingError if an encoder ranks by the dot product, for a recipe whose loss uses cosines."""
    if not base.cosine:
        raise SettingError(
            f'{recipe} compares by cosine and {base.name} by dot product; use dense(similarity="cosine", …)+{recipe}.'
        )


class EncoderBase(Trainable):
    """A bi-encoder before training.

    Attributes:
        revision: the hub's commit, as in a method's `revision`.
        trust_remote_code: the same.
    """

    kind = "encoder"

    def __init__(self, encoder: Encoder, first_stages: Sequence[Method], untrained: Method) -> None:
        super().__init__(first_stages, untrained)
        self.encoder = encoder
        self.name, self.prompts, self.training_key = encoder.folder.name, encoder.prompts, encoder.fingerprint
        self.source, self.revision = encoder.source
        self.cosine = encoder.similarity == "cosine"
        self.trust_remote_code = encoder.trusted
        self.weights = str(encoder.folder.path)

    @classmethod
    def of(cls, model: Encoder, row: Method) -> EncoderBase:
        """See `Trainable.of`."""
        return cls(model, (METHODS.get("bm25")(), row), row)

    def after(self, folder: Path, row: Method, context: Context, *, frozen: bool) -> EncoderBase:
        """See `Trainable.after`; the dev pool stays that of the first model."""
        trained = open_headed(self.encoder, folder, context) if frozen else self.encoder.retrained(folder)
        return EncoderBase(trained, self.first_stages, row)

    @property
    def model(self) -> Encoder:
        """See `Trainable.model`."""
        return self.encoder

    def fresh(self, context: Context) -> Any:
        """See `Trainable.fresh`."""
        return self.encoder.fresh()

    def probe(self, view: TrainView, schedule: Schedule, context: Context) -> dev.Probe | None:
        """See `Trainable.probe`."""
        dev_pool = dev.pool(view, self.first_stages, schedule, context)
        if dev_pool is None:
            return None
        bf16 = bf16_suits(schedule, self.encoder.model.device.type)
        return dev.EncoderProbe(dev_pool, self.encoder, context, bf16=bf16)


class PairBase(Trainable):
    """A cross-encoder before training, or an encoder that gets a new scoring head.

    Args:
        by_encoder: whether `untrained` is the encoder behind a new head. A random head cannot judge; the encoder's
            vectors judge in its place, at a fraction of the cost, also in the steps after the first.
    """

    kind = "cross_encoder"

    def __init__(
        self, scorer: PairScorer, first_stages: Sequence[Method], untrained: Method, *, by_encoder: bool = False
    ) -> None:
        super().__init__(first_stages, untrained)
        self.scorer, self._by_encoder = scorer, by_encoder
        self.name, self.prompts, self.training_key = scorer.folder.name, {"query": "", "document": ""}, scorer.key
        self.weights, self.source = str(scorer.folder.path), scorer.source[0]

    @classmethod
    def of(cls, model: PairScorer, row: Method) -> PairBase:
        """See `Trainable.of`."""
        stages = (METHODS.get("bm25")(),)
        if not model.folder.has_module("Pooling"):
            return cls(model, stages, row)
        # Training does not use the scorer: another precision of its answers must not train the model again.
        return cls(model.with_precision("fp32"), stages, _encoder_row(model), by_encoder=True)

    def after(self, folder: Path, row: Method, context: Context, *, frozen: bool) -> PairBase:
        """See `Trainable.after`."""
        untrained = self.untrained if self._by_encoder else row
        return PairBase(self.scorer.retrained(folder), self.first_stages, untrained, by_encoder=self._by_encoder)

    @property
    def whole(self) -> bool:
        """See `Trainable.whole`: whether the folder has a scoring head, so that `fresh` makes no random one."""
        names = [str(name) for name in self.scorer.folder.config("config.json").get("architectures") or []]
        has_head = not names or any(name.endswith(("ForSequenceClassification", "ForCausalLM")) for name in names)
        return has_head and not self.scorer.folder.has_module("Pooling")

    @property
    def row(self) -> Method | None:
        """See `Trainable.row`; None if the encoder judges in the model's place."""
        return None if self._by_encoder else super().row

    @property
    def model(self) -> PairScorer:
        """See `Trainable.model`."""
        return self.scorer

    def fresh(self, context: Context) -> Any:
        """See `Trainable.fresh`; the weights of a new head are drawn from the context's seed."""
        import torch

        with own_randomness():
            torch.manual_seed(seed_of(context, "scoring head"))
            return self.scorer.fresh()

    def probe(self, view: TrainView, schedule: Schedule, context: Context) -> dev.Probe | None:
        """See `Trainable.probe`."""
        dev_pool = dev.pool(view, self.first_stages, schedule, context)
        if dev_pool is None:
            return None
        from sentence_transformers.util import get_device_name

        device = (context.device or get_device_name()).partition(":")[0]
        return dev.PairProbe(dev_pool, RERANKED, context, bf16=bf16_suits(schedule, device))


def _encoder_row(scorer: PairScorer) -> Method:
    """The encoder below a scoring head, as a row; if its family needs prompts, they are empty."""
    model, revision = scorer.source
    settings: dict[str, Any] = {"revision": revision, "trust_remote_code": scorer.trusted}
    if needs_prompts(scorer.folder.name, scorer.folder.config("config_sentence_transformers.json")):
        settings |= {"query_prompt": "", "document_prompt": ""}
    return METHODS.get("dense")(model=model, **settings)  # type: ignore[call-arg]
