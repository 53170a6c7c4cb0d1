"""Encoders that answer a matrix per text: one row for each term of a sparse vector, or one vector for each token.

What sparse and late-interaction encoders share: the model's folder, prompts, the key of what is kept, loading. Each
text is encoded once per encoder and kept, as `harness.models.encoder` does with dense vectors.
"""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import numpy as np

from harness.base.errors import ModelError, SettingError
from harness.cache.code import MODELS, code_of
from harness.cache.ragged import Ragged, RaggedStore, StoredRagged
from harness.cache.shards import text_keys
from harness.models.encode_once import APART, Work, batch_tokens, kept, memory_advice
from harness.models.limits import bound
from harness.models.loading import opening, options_of
from harness.models.prompts import check_own_prompts, own_prompts, side_prompt
from harness.models.resolve import ModelFolder, resolve, tokenizer_length
from harness.models.settings import PRECISIONS
from harness.models.sides import SIDE_NAMES, Side
from harness.models.texts import readable, without_tokens
from harness.models.tokens import Reading, token_lengths
from harness.runtime.context import Context

E = TypeVar("E", bound="RaggedEncoder")


@dataclass(frozen=True)
class RaggedSettings:
    """Everything that decides what is kept of a text, as asked; None takes the model's own.

    Args:
        model: hub name or folder.
        revision: the hub's commit, tag or branch.
        query_prompt: put before each query.
        document_prompt: put before each document.
        query_length: tokens kept of a query.
        document_length: tokens kept of a document.
        precision: of the weights in memory: `fp32`, `bf16` or `fp16`; what they answer is kept as float32.
        trust_remote_code: run the code that the model's folder brings.
    """

    model: str
    revision: str | None
    query_prompt: str | None
    document_prompt: str | None
    query_length: int | None
    document_length: int | None
    precision: str
    trust_remote_code: bool

    def check(self, method: str) -> None:
        """Raises SettingError where a setting is out of range; `method` is named in the message."""
        if self.precision not in PRECISIONS:
            raise SettingError(f"{method}: precision must be one of {', '.join(PRECISIONS)}, not {self.precision!r}")
        for length in (self.query_length, self.document_length):
            if length is not None and length < 1:
                raise SettingError(f"{method}: a length must be 1 or more, not {length}")


class RaggedEncoder(ABC):
    """A model with resolved settings. The weights are loaded when the first text has to go through them.

    Args:
        settings: as asked.
        context: device, cache.
        called: the model's name, where it is not that of the settings: of a folder that was trained from a named model.

    Raises:
        ModelError: the model has prompts and it is not clear which to take.
        Unavailable: the model is not to be had.
    """

    method: ClassVar[str]
    """The method whose encoder it is, for messages."""
    kind: ClassVar[str]
    """The group of kept entries."""
    trainer: ClassVar[str]
    """The recipe that makes an encoder of this kind."""

    def __init__(self, settings: RaggedSettings, context: Context, called: str | None = None) -> None:
        settings.check(self.method)
        self._context, self._settings, self._called = context, settings, called
        self.folder: ModelFolder = resolve(settings.model, context, settings.revision)
        if called is not None:
            self.folder = replace(self.folder, name=called, source="trained")
        own = self._own_prompts()
        asked: dict[Side, str | None] = {"query": settings.query_prompt, "document": settings.document_prompt}
        self.prompts: dict[Side, str] = {side: side_prompt(side, prompt, own) for side, prompt in asked.items()}
        if called is None:
            check_own_prompts(self.folder.name, asked, self._config, own)

    # What a kind of model is

    @property
    @abstractmethod
    def ready(self) -> bool:
        """Whether the folder holds a model of this kind; else it has to be trained to be one."""

    @abstractmethod
    def _compute(self, texts: Sequence[str], side: Side) -> Ragged:
        """The matrices of texts, from the loaded model."""

    @abstractmethod
    def _build(self, options: Mapping[str, Any]) -> Any:
        """The model, from its folder."""

    @abstractmethod
    def _cut(self, model: Any) -> None:
        """Tells the model how many tokens to keep."""

    @property
    @abstractmethod
    def similarity(self) -> str:
        """How its answers are compared."""

    def _own_prompts(self) -> dict[str, str]:
        return own_prompts(self._config)

    def _budget(self) -> int:
        return batch_tokens(self._context, self.model.device.type)

    @cached_property
    def _config(self) -> dict[str, Any]:
        return self.folder.config("config_sentence_transformers.json")

    # What is kept

    @cached_property
    def resolved(self) -> dict[str, Any]:
        """Everything that decides what is kept of a text, as it turned out; JSON-safe."""
        bert = self.folder.config("sentence_bert_config.json")
        usual = bert.get("max_seq_length") or tokenizer_length(self.folder)
        return {
            "model": self.folder.name,
            "source": self.folder.source,
            "revision": self.folder.revision,
            "sha": self.folder.sha,
            "query_prompt": self.prompts["query"],
            "document_prompt": self.prompts["document"],
            "query_length": self._settings.query_length or bert.get("query_length") or usual,
            "document_length": self._settings.document_length or bert.get("document_length") or usual,
            "precision": self._settings.precision,
            "similarity": self.similarity,
        }

    def _deciding(self, side: Side) -> dict[str, Any]:
        settings = self._settings
        return {
            "kind": self.kind,
            "code": code_of(type(self).__module__, without=APART, libraries=MODELS),
            "sha": self.folder.sha,
            "side": side,
            "prompt": self.prompts[side],
            "length": settings.query_length if side == "query" else settings.document_length,
            "precision": settings.precision,
        }

    def key(self, side: Side) -> str:
        """Hash of everything that decides what is kept of this side, except the text."""
        return hashlib.sha256(json.dumps(self._deciding(side), sort_keys=True).encode()).hexdigest()[:32]

    @cached_property
    def fingerprint(self) -> str:
        """Hash of both sides and of how they are compared."""
        return hashlib.sha256((self.key("query") + self.key("document") + self.similarity).encode()).hexdigest()[:16]

    def matrices(self, texts: Sequence[str], side: Side) -> StoredRagged:
        """The matrices of N texts, those not kept yet encoded and kept.

        Args:
            texts: read by slices, so a corpus larger than memory will do.
            side: which prompt, length and, where they differ, encoder.

        Raises:
            ModelError: the model answers something that is not a number; what was encoded before is kept.
        """
        describe = {"model": self.folder.name, **self._deciding(side)}
        store = RaggedStore(self._context.cache, self.kind, self.key(side), describe)
        work = Work[str, Ragged](
            label=f"encode {SIDE_NAMES[side]}",
            unit="texts",
            keys=text_keys,
            lengths=lambda some: token_lengths(self.model, [readable(text) for text in some], self.reading(side)),
            run=lambda some: self.encode(some, side),
            budget=self._budget,
        )
        return kept(texts, work, store, self._context)

    def reading(self, side: Side) -> Reading:
        """How texts of a side are given to the model."""
        return Reading(self.prompts[side], side)

    def encode(self, texts: Sequence[str], side: Side) -> Ragged:
        """The matrices of texts, encoded now and not kept; empty ones of texts without any token
        (`harness.models.texts`).
        """
        told = [readable(text) for text in texts]
        with memory_advice(self.folder.name):
            none = without_tokens(self.model, told, self.prompts[side], side)
            full = [text for text, empty in zip(told, none, strict=True) if not empty]
            found = self._compute(full, side) if full else None
        if found is None or any(none):
            found = _spread(found, none, self._width)
        if not np.isfinite(found.values).all():
            bad = next(t for i, t in enumerate(texts) if not np.isfinite(found[i]).all())
            raise ModelError(
                f"{self.folder.name} ({self._settings.precision}) answered a {side} with values that are not numbers, "
                f"first for "
                f'{bad[:80]!r}. Try precision="fp32"; if it persists the weights are damaged.'
            )
        return found

    @property
    @abstractmethod
    def _width(self) -> int:
        """Columns of a matrix, from the loaded model."""

    # The model

    @property
    def model(self) -> Any:
        """The loaded model; one per run and settings.

        Raises:
            ModelError: the folder holds no model of this kind.
        """
        self.check()
        return self._context.ledger.once(
            "model", f"load {self.folder.name}", f"{self.kind} {self.fingerprint}", self._load
        )

    def check(self) -> None:
        """Raises ModelError where the folder holds no model of this kind."""
        if not self.ready:
            raise ModelError(
                f"{self.folder.name} is no {self.method} encoder: it has to be trained first, as "
                f"{self.method}(model=…)+{self.trainer}; or name a model that is one."
            )

    @property
    def source(self) -> tuple[str, str | None]:
        """Name or folder, and revision, that settings would be given to open the same weights."""
        return self._settings.model, self._settings.revision

    @property
    def trusted(self) -> bool:
        """Whether the code that the model's folder brings may run."""
        return self._settings.trust_remote_code

    def fresh(self) -> Any:
        """The model loaded anew in fp32, for training: nobody else holds it. What it lacks is random."""
        return self._load("fp32")

    def retrained(self: E, path: Path) -> E:
        """The encoder that training made of this one: its folder, with the prompts and lengths in it."""
        settings = replace(self._settings, model=str(path), revision=None, query_prompt=None, document_prompt=None)
        return open_ragged(type(self), settings, self._context, self.folder.name)

    def _load(self, precision: str | None = None) -> Any:
        # Imported here: torch takes seconds to import, and a run whose texts are all kept does not need it.
        import torch

        settings = self._settings
        options = options_of(self._context.device, precision or settings.precision, trusted=settings.trust_remote_code)
        dtype = options["model_kwargs"]["dtype"]
        # Some of the library's modules draw random weights before they read their own: nobody else's stream is to move.
        with opening(self.folder, trusted=settings.trust_remote_code), torch.random.fork_rng(devices=[]):
            model = self._build(options)
        model.to(dtype)  # modules that are new, or not a transformer's, are made in fp32
        model.eval()
        self._cut(model)
        asked = max(settings.query_length or 0, settings.document_length or 0) or None
        bound(model, self.folder.name, asked if self._called is None else None)
        return model


def _spread(found: Ragged | None, none: Sequence[bool], width: int) -> Ragged:
    """The matrices of texts, with empty ones in the places of those that have none."""
    empty = np.zeros((0, width), np.float32)
    made = iter([found[i] for i in range(len(found))] if found is not None else [])
    return Ragged.of([empty if absent else next(made) for absent in none], width)


def open_ragged(kind: type[E], settings: RaggedSettings, context: Context, called: str | None = None) -> E:
    """The encoder for these settings, one per run; `called` is the model's name where the settings hold a trained
    folder.
    """
    key = hashlib.sha256(f"{kind.__name__} {settings!r} {called}".encode()).hexdigest()
    return context.ledger.once(
        "model", f"resolve {called or settings.model}", key, lambda: kind(settings, context, called)
    )
