"""An encoder with a head trained behind it: the encoder stayed as it was, so its kept vectors serve and no text is
encoded.
"""

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
from harness.indexes import Vectors
from harness.models.encoder import Encoder, EncoderSettings, Side
from harness.models.truncated import Truncated
from harness.runtime.context import Context


class HeadedEncoder(Encoder):
    """What a frozen encoder with a trained head makes of texts: the encoder's kept vectors, through the head when they
    are read.

    A text that is encoded afresh goes through the whole model, as anybody's would who loads the folder; both agree but
    for the last bits of single precision.

    Args:
        settings: of the trained folder.
        context: device, cache.
        called: the model's name.
        base: the encoder before the head was trained.
    """

    def __init__(self, settings: EncoderSettings, context: Context, called: str | None, base: Encoder) -> None:
        super().__init__(settings, context, called)
        self._base = base

    def vectors(self, texts: Sequence[str], side: Side) -> Vectors:
        """See `Encoder.vectors`; in half precision the head would be too, so there the texts go through the model.

        So they do in another engine, which takes the folder as a whole (`by`).
        """
        if self._settings.precision != "fp32" or self.prompts[side] != self._base.prompts[side]:
            return super().vectors(texts, side)
        whole = Headed(self._base.vectors(texts, side), self._head)
        dimensions = self._settings.dimensions
        return whole if dimensions is None else Truncated(whole, dimensions, self.similarity == "cosine")

    def of(self, dimensions: int | None) -> Encoder:
        """See `Encoder.of`."""
        if dimensions == self._settings.dimensions:
            return self
        return _open(replace(self._settings, dimensions=dimensions), self._context, self._called, self._base)

    @cached_property
    def _head(self) -> Any:
        """The last dense layer of the folder and what follows it, as one torch module."""
        import torch
        from sentence_transformers.sentence_transformer.modules import Dense

        named = self.folder.config("modules.json").get("modules", [])
        dense = [module for module in named if str(module["type"]).rpartition(".")[2] == "Dense"]
        if not dense or str(named[-1]["type"]).rpartition(".")[2] != "Normalize" or named[-2] is not dense[-1]:
            raise ModelError(
                f"{self.folder.path} does not end with a dense layer and a normalisation: remove it and train again."
            )
        layer = Dense.load(str(self.folder.path / dense[-1]["path"]))
        activation: Any = layer.activation_function
        return torch.nn.Sequential(layer.linear, activation).eval()


class Headed:
    """(N, d) vectors of a head over (N, D) kept ones, of length 1, made when they are read.

    Args:
        whole: the kept ones.
        head: torch module, (n, D) → (n, d).
    """

    def __init__(self, whole: Vectors, head: Any) -> None:
        self._whole, self._head = whole, head

    def __len__(self) -> int:
        return len(self._whole)

    @property
    def dimension(self) -> int:
        """The head's; 0 where there is no vector."""
        return int(self._head[0].out_features) if len(self._whole) else 0

    def block(self, start: int, stop: int) -> Floats:
        """(stop − start, d) vectors."""
        return self._through(self._whole.block(start, stop))

    def take(self, rows: npt.NDArray[np.int64]) -> Floats:
        """(len(rows), d) vectors, in the order asked."""
        return self._through(self._whole.take(rows))

    def _through(self, vectors: Floats) -> Floats:
        import torch

        with torch.no_grad():
            made = torch.nn.functional.normalize(self._head(torch.from_numpy(np.array(vectors))), dim=-1)
        return made.numpy()


def headed(base: Encoder, folder: Path, context: Context) -> Encoder:
    """The encoder of a folder that holds `base`, unchanged, with a head trained behind it; one per run."""
    plain = base.retrained(folder)
    return _open(plain.settings, context, plain.folder.name, base)


def _open(settings: EncoderSettings, context: Context, called: str | None, base: Encoder) -> Encoder:
    key = hashlib.sha256(f"{settings!r} {called} {base.fingerprint}".encode()).hexdigest()
    label = f"resolve {called or settings.model}"
    return context.ledger.once("model", label, f"headed {key}", lambda: HeadedEncoder(settings, context, called, base))
