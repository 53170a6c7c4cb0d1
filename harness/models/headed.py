"""A frozen encoder with a trained head: its cached vectors go through the head, so no text is encoded again."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from harness.base.errors import ModelError
from harness.data.ranking import Floats
from harness.engines.torch import Torch
from harness.indexes import Vectors
from harness.models.encoder import Encoder, EncoderSettings, Side
from harness.models.engine_settings import EngineConfig
from harness.models.truncated import Truncated
from harness.runtime.context import Context


class HeadedEncoder(Encoder):
    """A frozen encoder with a trained head: the encoder's cached vectors go through the head when they are read.

    A text that is encoded without the cache goes through the whole model, as in any program that loads the folder; the
    two results differ only in the last bits of single precision.

    Args:
        settings: of the trained folder.
        context: device, cache.
        trained_from: the model's name.
        base: the encoder before the head was trained.
    """

    def __init__(self, settings: EncoderSettings, context: Context, trained_from: str | None, base: Encoder) -> None:
        super().__init__(settings, context, trained_from)
        self._base = base

    def vectors(self, texts: Sequence[str], side: Side) -> Vectors:
        """See `Encoder.vectors`; the head computes in fp32 what the engine gives it."""
        if self.prompts[side] != self._base.prompts[side]:
            return super().vectors(texts, side)
        if side == "document" and self._only_queries:
            return self._base.vectors(texts, side)
        whole = HeadVectors(self._base.vectors(texts, side), self._head)
        dimensions = self.settings.dimensions
        return whole if dimensions is None else Truncated(whole, dimensions, self.similarity == "cosine")

    def encode_uncached(self, texts: Sequence[str], side: Side) -> Floats:
        """See `Encoder.encode_uncached`; an engine that cannot run two routes runs the encoder behind the head."""
        if not self._only_queries or self.prompts[side] != self._base.prompts[side]:
            return super().encode_uncached(texts, side)
        vectors = self._base.encode_uncached(texts, side)
        return vectors if side == "document" else through(self._head, vectors)

    def with_dimensions(self, dimensions: int | None) -> Encoder:
        """See `Encoder.with_dimensions`."""
        if dimensions == self.settings.dimensions:
            return self
        return _open(replace(self.settings, dimensions=dimensions), self._context, self._trained_from, self._base)

    def _reopened(self, settings: EncoderSettings) -> Encoder:
        """In another engine the encoder behind the head is computed by that engine too."""
        config = EngineConfig(settings.engine or Torch(), settings.precision)
        return _open(settings, self._context, self._trained_from, self._base.with_engine(config))

    @cached_property
    def _modules(self) -> list[dict[str, Any]]:
        return list(self.folder.config("modules.json").get("modules", []))

    @cached_property
    def _only_queries(self) -> bool:
        """Whether documents do not go through the head."""
        return bool(self._modules) and str(self._modules[-1]["type"]).rpartition(".")[2] == "Router"

    @cached_property
    def _head(self) -> Any:
        """The last dense layer of the folder and what follows it, as one torch module."""
        import torch
        from sentence_transformers.base.modules import Router
        from sentence_transformers.sentence_transformer.modules import Dense

        if self._only_queries:
            routes: Any = Router.load(str(self.folder.path / self._modules[-1]["path"])).sub_modules
            layer = routes["query"][0]
            return torch.nn.Sequential(layer.linear, layer.activation_function).eval()
        modules = self._modules
        dense = [module for module in modules if str(module["type"]).rpartition(".")[2] == "Dense"]
        if not dense or str(modules[-1]["type"]).rpartition(".")[2] != "Normalize" or modules[-2] is not dense[-1]:
            raise ModelError(
                f"{self.folder.path} does not end with a dense layer and a normalisation: it is damaged. Remove it and "
                "train again."
            )
        layer = Dense.load(str(self.folder.path / dense[-1]["path"]))
        activation: Any = layer.activation_function
        return torch.nn.Sequential(layer.linear, activation).eval()


class HeadVectors:
    """(N, d) vectors of length 1: (N, D) cached ones that go through a head when they are read.

    Args:
        whole: the cached ones.
        head: torch module, (n, D) → (n, d).
    """

    def __init__(self, whole: Vectors, head: Any) -> None:
        self._whole, self._head = whole, head

    def __len__(self) -> int:
        return len(self._whole)

    @property
    def dimension(self) -> int:
        """Dimensions of the head's output; 0 if there are no vectors."""
        return int(self._head[0].out_features) if len(self._whole) else 0

    def block(self, start: int, stop: int) -> Floats:
        """(stop − start, d) vectors."""
        return self._through(self._whole.block(start, stop))

    def take(self, rows: npt.NDArray[np.int64]) -> Floats:
        """(len(rows), d) vectors, in the order of `rows`."""
        return self._through(self._whole.take(rows))

    def _through(self, vectors: Floats) -> Floats:
        return through(self._head, vectors)


def through(head: Any, vectors: Floats) -> Floats:
    """(n, d) unit vectors that a head makes of (n, D) ones."""
    import torch

    with torch.no_grad():
        outputs: Floats = torch.nn.functional.normalize(head(torch.from_numpy(np.array(vectors))), dim=-1).numpy()
    return outputs


def open_headed(base: Encoder, folder: Path, context: Context) -> Encoder:
    """The encoder of a folder that contains `base`, unchanged, and a head trained on it; resolved once in a run."""
    plain = base.retrained(folder)
    return _open(plain.settings, context, plain.folder.name, base)


def _open(settings: EncoderSettings, context: Context, trained_from: str | None, base: Encoder) -> Encoder:
    key = hashlib.sha256(f"{settings!r} {trained_from} {base.fingerprint}".encode()).hexdigest()
    label = f"resolve {trained_from or settings.model}"
    return context.ledger.once(
        "model", label, f"headed {key}", lambda: HeadedEncoder(settings, context, trained_from, base)
    )
