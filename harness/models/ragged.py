"""Encoders that give a matrix per text: one row per term of a sparse vector, or one vector per token.

Sparse and late-interaction encoders share this base. Each text is encoded once per encoder and cached, as
`harness.models.encoder` does with vectors.
"""

from __future__ import annotations

import hashlib
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from harness.cache.code import MODELS, code_of
from harness.cache.ragged import Ragged, RaggedStore, StoredRagged
from harness.cache.shards import text_keys
from harness.data.ranking import Floats
from harness.engines.torch import Torch
from harness.models.batching import batch_tokens, packed
from harness.models.encode_once import APART, EncodeTask, encode_once
from harness.models.engine_compare import SampleOutputs
from harness.models.engine_settings import EngineConfig
from harness.models.finite import check_finite
from harness.models.loading import memory_advice
from harness.models.local_model import hash_of, open_model
from harness.models.ragged_model import RaggedModel
from harness.models.ragged_model import RaggedSettings as RaggedSettings
from harness.models.resolve import tokenizer_length
from harness.models.sample import Sample
from harness.models.sides import SIDE_NAMES, Side
from harness.models.texts import readable, without_tokens
from harness.models.tokens import InputFormat, token_lengths
from harness.runtime.context import Context

E = TypeVar("E", bound="RaggedEncoder")


class RaggedEncoder(RaggedModel):
    """Encodes each text once; see `LocalModel` for the arguments."""

    @abstractmethod
    def _compute(self, texts: Sequence[str], side: Side) -> Ragged:
        """The matrices of texts, from the loaded model."""

    @property
    @abstractmethod
    def _width(self) -> int:
        """Columns of a matrix, from the loaded model."""

    @abstractmethod
    def _sample_outputs(self, queries: Ragged, documents: Ragged) -> SampleOutputs:
        """Scores of all queries and documents, and the vectors that are compared by direction."""

    def _budget(self) -> int:
        return batch_tokens(self._context, self.model.device.type)

    @cached_property
    def resolved(self) -> dict[str, Any]:
        """Everything that decides the matrix of a text, with all defaults filled in; JSON-safe."""
        bert = self.folder.config("sentence_bert_config.json")
        usual = bert.get("max_seq_length") or tokenizer_length(self.folder)
        return {
            "model": self.folder.name,
            "source": self.folder.source,
            "revision": self.folder.revision,
            "sha": self.folder.sha,
            "query_prompt": self.prompts["query"],
            "document_prompt": self.prompts["document"],
            "query_length": self.settings.query_length or bert.get("query_length") or usual,
            "document_length": self.settings.document_length or bert.get("document_length") or usual,
            "precision": self.settings.precision,
            "similarity": self.similarity,
            **self._engine(),
        }

    def _engine(self) -> dict[str, Any]:
        """The engine other than `torch`, with its versions; JSON-safe."""
        engine = self.settings.engine
        return {"engine": str(engine), "versions": engine.versions(self.settings.precision)} if engine else {}

    def _deciding(self, side: Side) -> dict[str, Any]:
        settings = self.settings
        return {
            "kind": self.kind,
            "code": code_of(type(self).__module__, settings.engine or Torch(), without=APART, libraries=MODELS),
            "sha": self.folder.sha,
            "side": side,
            "prompt": self.prompts[side],
            "length": settings.query_length if side == "query" else settings.document_length,
            "precision": settings.precision,
            **self._engine(),
        }

    def key(self, side: Side) -> str:
        """Hash of everything that decides a matrix of this side, except the text."""
        return hash_of(self._deciding(side))

    @cached_property
    def fingerprint(self) -> str:
        """Hash of both sides and of how they are compared."""
        return hashlib.sha256((self.key("query") + self.key("document") + self.similarity).encode()).hexdigest()[:16]

    def matrices(self, texts: Sequence[str], side: Side) -> StoredRagged:
        """The matrices of N texts; those that are not cached are encoded and cached.

        Args:
            texts: read by slices, so a corpus may be larger than memory.
            side: decides prompt, length and, if they differ, encoder.

        Raises:
            ModelError: the model gives a value that is not a number; what was encoded before stays cached.
        """
        describe = {"model": self.folder.name, **self._deciding(side)}
        store = RaggedStore(self._context.cache, self.kind, self.key(side), describe)
        form = self.input_format(side)
        task = EncodeTask[str, Ragged](
            label=f"encode {SIDE_NAMES[side]}",
            unit="texts",
            keys=text_keys,
            lengths=lambda some: token_lengths(self.model, [readable(text) for text in some], form),
            run=lambda some: self.encode(some, side),
            budget=self._budget,
        )
        return encode_once(texts, task, store, self._context)

    def input_format(self, side: Side) -> InputFormat:
        """How texts of a side are given to the model."""
        return InputFormat(self.prompts[side], side)

    def encode(self, texts: Sequence[str], side: Side) -> Ragged:
        """The matrices of texts, not cached; texts without any token get empty ones (`harness.models.texts`)."""
        clean = [readable(text) for text in texts]
        with memory_advice(self.folder.name):
            empty = without_tokens(self.model, clean, self.prompts[side], side)
            full = [text for text, is_empty in zip(clean, empty, strict=True) if not is_empty]
            matrices = self._compute(full, side) if full else None
        if matrices is None or any(empty):
            matrices = _with_empty(matrices, empty, self._width)
        if not np.isfinite(matrices.values).all():
            name = f"{self.folder.name} ({self.settings.precision})"
            check_finite(name, side, texts, [matrices[i] for i in range(len(texts))])
        return matrices

    def encode_in_batches(self, texts: Sequence[str], side: Side) -> Ragged:
        """As `encode`, in the batches that `matrices` would make."""
        lengths = token_lengths(self.model, [readable(text) for text in texts], self.input_format(side))
        found: dict[int, Floats] = {}
        for batch in packed(lengths, self._budget()):
            encoded = self.encode([texts[i] for i in batch], side)
            found |= {i: encoded[place] for place, i in enumerate(batch)}
        return Ragged.of([found[i] for i in range(len(texts))], self._width)

    def sample_outputs(self, config: EngineConfig, sample: Sample) -> SampleOutputs:
        """Outputs of an engine for a sample of a collection, for the engine check."""
        encoder = self.with_engine(config)
        queries = encoder.encode_in_batches(sample.queries, "query")
        return self._sample_outputs(queries, encoder.encode_in_batches(sample.documents, "document"))

    def _loaded(self) -> Any:
        label = f"load {self.folder.name}"
        return self._context.ledger.once("model", label, f"{self.kind} {self.fingerprint}", self._load)

    def retrained(self: E, path: Path) -> E:
        """The encoder that training made of this one: its folder, which contains the prompts and lengths."""
        settings = replace(self.settings, model=str(path), revision=None, query_prompt=None, document_prompt=None)
        return open_ragged(type(self), settings, self._context, self.folder.name)


def _with_empty(matrices: Ragged | None, empty: Sequence[bool], width: int) -> Ragged:
    """The matrices of all texts: those that were computed, and empty ones where `empty` says so."""
    nothing = np.zeros((0, width), np.float32)
    computed = iter([matrices[i] for i in range(len(matrices))] if matrices is not None else [])
    return Ragged.of([nothing if is_empty else next(computed) for is_empty in empty], width)


def open_ragged(kind: type[E], settings: RaggedSettings, context: Context, trained_from: str | None = None) -> E:
    """The encoder of these settings, resolved once in a run; `trained_from` names the model of a trained folder."""
    return open_model(kind, settings, context, trained_from)
