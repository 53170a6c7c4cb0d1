"""What is trained: an encoder of some kind or a cross-encoder as it is before training, and how to measure it on
dev.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar, Literal

from harness.base.errors import SettingError
from harness.data.dataset import TrainView
from harness.methods import Method
from harness.models.cross_encoder import PairScorer
from harness.models.encoder import Encoder, Side
from harness.models.late import LateEncoder
from harness.models.ragged import RaggedEncoder
from harness.models.sparse import SparseEncoder
from harness.runtime.context import Context
from harness.training import dev, probes
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
        name: what to call the model.
        weights: its folder on disk.
        source: name or folder that a method would be given.
        prompts: side → what is put before a text.
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

    @property
    def whole(self) -> bool:
        """Whether it answers before training; not so where a layer of it is still random."""
        return True

    @abstractmethod
    def fresh(self, context: Context) -> Any:
        """The model, loaded anew in fp32: training changes it."""

    @abstractmethod
    def probe(self, view: TrainView, schedule: Schedule, context: Context) -> dev.Probe | None:
        """Measures a model of this kind on dev; None where the view has no dev queries."""


def contrast(base: Trainable, scale: float) -> dict[str, Any]:
    """How a contrastive loss compares vectors: as the encoder ranks, with the scale for cosines; dot products have
    their own.
    """
    from sentence_transformers.util import cos_sim, dot_score

    return {"similarity_fct": cos_sim, "scale": scale} if base.cosine else {"similarity_fct": dot_score, "scale": 1.0}


def by_cosine(base: Trainable, recipe: str) -> None:
    """Raises SettingError where an encoder ranks by the dot product and the recipe's loss knows cosines alone."""
    if not base.cosine:
        raise SettingError(
            f'{recipe} compares by cosine and {base.name} by dot product; say dense(similarity="cosine", …)+{recipe}.'
        )


class EncoderBase(Trainable):
    """A bi-encoder before training.

    Attributes:
        revision: the hub's commit that a method would be given with `source`.
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

    def fresh(self, context: Context) -> Any:
        """See `Trainable.fresh`."""
        return self.encoder.fresh()

    def probe(self, view: TrainView, schedule: Schedule, context: Context) -> dev.Probe | None:
        """See `Trainable.probe`."""
        held = dev.pool(view, self.first_stages, schedule, context)
        if held is None:
            return None
        bf16 = bf16_suits(schedule, self.encoder.model.device.type)
        return dev.EncoderProbe(held, self.encoder, context, bf16=bf16)


class PairBase(Trainable):
    """A cross-encoder before training, or an encoder that gets a new scoring head."""

    kind = "cross_encoder"

    def __init__(self, scorer: PairScorer, first_stages: Sequence[Method], untrained: Method) -> None:
        super().__init__(first_stages, untrained)
        self.scorer = scorer
        self.name, self.prompts, self.training_key = scorer.folder.name, {"query": "", "document": ""}, scorer.key
        self.weights, self.source = str(scorer.folder.path), scorer.source

    def fresh(self, context: Context) -> Any:
        """See `Trainable.fresh`; the weights of a new head are drawn from the context's seed."""
        import torch

        with own_randomness():
            torch.manual_seed(seed_of(context, "scoring head"))
            return self.scorer.fresh()

    def probe(self, view: TrainView, schedule: Schedule, context: Context) -> dev.Probe | None:
        """See `Trainable.probe`."""
        held = dev.pool(view, self.first_stages, schedule, context)
        if held is None:
            return None
        from sentence_transformers.util import get_device_name

        device = (context.device or get_device_name()).partition(":")[0]
        return dev.PairProbe(held, RERANKED, context, bf16=bf16_suits(schedule, device))


class RaggedBase(Trainable):
    """A sparse or a late-interaction encoder before training, or an encoder that is to become one."""

    def __init__(self, encoder: RaggedEncoder, first_stages: Sequence[Method], untrained: Method) -> None:
        super().__init__(first_stages, untrained)
        self._encoder = encoder
        self.name, self.prompts, self.training_key = encoder.folder.name, encoder.prompts, encoder.fingerprint
        self.weights, self.source = str(encoder.folder.path), encoder.source[0]

    @property
    def whole(self) -> bool:
        """See `Trainable.whole`."""
        return self._encoder.ready

    def fresh(self, context: Context) -> Any:
        """See `Trainable.fresh`; the weights of new layers are drawn from the context's seed."""
        import torch

        with own_randomness():
            torch.manual_seed(seed_of(context, "new layers"))
            return self._encoder.fresh()

    def probe(self, view: TrainView, schedule: Schedule, context: Context) -> dev.Probe | None:
        """See `Trainable.probe`."""
        held = dev.pool(view, self.first_stages, schedule, context)
        if held is None:
            return None
        from sentence_transformers.util import get_device_name

        device = (context.device or get_device_name()).partition(":")[0]
        return self._probe(held, context, bf16=bf16_suits(schedule, device))

    @abstractmethod
    def _probe(self, held: dev.Pool, context: Context, *, bf16: bool) -> dev.Probe: ...


class SparseBase(RaggedBase):
    """A sparse encoder before training, or an encoder that gets a layer of logits.

    Attributes:
        headless: whether that layer is to be new.
    """

    kind = "sparse"

    def __init__(self, encoder: SparseEncoder, first_stages: Sequence[Method], untrained: Method) -> None:
        super().__init__(encoder, first_stages, untrained)
        self.encoder = encoder
        self.headless = encoder.headless
        self.cosine = encoder.similarity == "cosine"

    def _probe(self, held: dev.Pool, context: Context, *, bf16: bool) -> dev.Probe:
        return probes.SparseProbe(held, self.encoder, context, bf16=bf16)


class LateBase(RaggedBase):
    """A late-interaction encoder before training, or an encoder that gets a projection of its token vectors."""

    kind = "late"
    cosine = False

    def __init__(self, encoder: LateEncoder, first_stages: Sequence[Method], untrained: Method) -> None:
        super().__init__(encoder, first_stages, untrained)
        self.encoder = encoder

    def _probe(self, held: dev.Pool, context: Context, *, bf16: bool) -> dev.Probe:
        return probes.LateProbe(held, self.encoder, context, bf16=bf16)
