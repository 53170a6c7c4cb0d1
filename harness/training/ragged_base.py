"""Sparse and late-interaction encoders before training."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from harness.data.dataset import TrainView
from harness.methods import METHODS, Method
from harness.models.late import LateEncoder
from harness.models.ragged import RaggedEncoder
from harness.models.sparse import SparseEncoder
from harness.runtime.context import Context
from harness.training import dev, probes
from harness.training.base import Trainable
from harness.training.loop import bf16_suits, own_randomness, seed_of
from harness.training.schedule import Schedule


class RaggedBase(Trainable):
    """A sparse or late-interaction encoder before training, or an encoder that becomes one."""

    def __init__(self, encoder: RaggedEncoder, first_stages: Sequence[Method], untrained: Method) -> None:
        super().__init__(first_stages, untrained)
        self._encoder = encoder
        self.name, self.prompts, self.training_key = encoder.folder.name, encoder.prompts, encoder.fingerprint
        self.weights, self.source = str(encoder.folder.path), encoder.source[0]

    @classmethod
    def of(cls, model: Any, row: Method) -> RaggedBase:
        """See `Trainable.of`."""
        untrained = row if model.is_trained else _dense_row(model)
        return cls(model, (METHODS.get("bm25")(), untrained), untrained)

    def after(self, folder: Path, row: Method, context: Context, *, frozen: bool) -> RaggedBase:
        """See `Trainable.after`."""
        return self.of(self._encoder.retrained(folder), row)

    @property
    def model(self) -> RaggedEncoder:
        """See `Trainable.model`."""
        return self._encoder

    @property
    def whole(self) -> bool:
        """See `Trainable.whole`."""
        return self._encoder.is_trained

    def fresh(self, context: Context) -> Any:
        """See `Trainable.fresh`; the weights of new layers are drawn from the context's seed."""
        import torch

        with own_randomness():
            torch.manual_seed(seed_of(context, "new layers"))
            return self._encoder.fresh()

    def probe(self, view: TrainView, schedule: Schedule, context: Context) -> dev.Probe | None:
        """See `Trainable.probe`."""
        dev_pool = dev.pool(view, self.first_stages, schedule, context)
        if dev_pool is None:
            return None
        from sentence_transformers.util import get_device_name

        device = (context.device or get_device_name()).partition(":")[0]
        return self._probe(dev_pool, context, bf16=bf16_suits(schedule, device))

    @abstractmethod
    def _probe(self, dev_pool: dev.Pool, context: Context, *, bf16: bool) -> dev.Probe: ...


def _dense_row(encoder: RaggedEncoder) -> Method:
    """The dense row of the weights of an encoder that is not yet of its kind."""
    settings: dict[str, Any] = {f"{side}_prompt": prompt for side, prompt in encoder.prompts.items()}
    model, revision = encoder.source
    dense: Any = METHODS.get("dense")
    settings |= {"revision": revision, "trust_remote_code": encoder.trusted}
    return dense(model=model, **settings)  # type: ignore[no-any-return]


class SparseBase(RaggedBase):
    """A sparse encoder before training, or an encoder that gets a layer of logits.

    Attributes:
        headless: whether that layer is new.
    """

    kind = "sparse"

    def __init__(self, encoder: SparseEncoder, first_stages: Sequence[Method], untrained: Method) -> None:
        super().__init__(encoder, first_stages, untrained)
        self.encoder = encoder
        self.headless = encoder.headless
        self.cosine = encoder.similarity == "cosine"

    def _probe(self, dev_pool: dev.Pool, context: Context, *, bf16: bool) -> dev.Probe:
        return probes.SparseProbe(dev_pool, self.encoder, context, bf16=bf16)


class LateBase(RaggedBase):
    """A late-interaction encoder before training, or an encoder that gets a projection of its token vectors."""

    kind = "late"
    cosine = False

    def __init__(self, encoder: LateEncoder, first_stages: Sequence[Method], untrained: Method) -> None:
        super().__init__(encoder, first_stages, untrained)
        self.encoder = encoder

    @property
    def row(self) -> Method | None:
        """See `Trainable.row`: the row scores one pair after another, which takes longer than to encode again."""
        return None

    def _probe(self, dev_pool: dev.Pool, context: Context, *, bf16: bool) -> dev.Probe:
        return probes.LateProbe(dev_pool, self.encoder, context, bf16=bf16)
