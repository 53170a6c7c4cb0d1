"""Encoders: texts → vectors, each text encoded once per encoder and kept."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.base.errors import ModelError, SettingError
from harness.cache.code import MODELS, code_of
from harness.cache.shards import text_keys
from harness.cache.vectors import VectorStore
from harness.data.ranking import Floats
from harness.engines.torch import Torch
from harness.indexes import Vectors
from harness.models._pooling import pooling as own_pooling
from harness.models._pooling import repool
from harness.models.encode_once import APART, Work, kept
from harness.models.engine_check import Answers, Way
from harness.models.library import vectors_by_library
from harness.models.limits import bound
from harness.models.loading import opening, options_of
from harness.models.model_runner import Engined, Part
from harness.models.prompts import model_prompts
from harness.models.resolve import ModelFolder, resolve, tokenizer_length
from harness.models.sample import Sample
from harness.models.settings import POOLINGS as POOLINGS
from harness.models.settings import PRECISIONS as PRECISIONS
from harness.models.settings import EncoderSettings as EncoderSettings
from harness.models.sides import SIDE_NAMES as SIDE_NAMES
from harness.models.sides import Side as Side
from harness.models.sides import reads_sides
from harness.models.texts import fast_tokenizer, readable
from harness.models.tokens import Item, Reading, token_lengths
from harness.models.truncated import Truncated, cut
from harness.runtime.context import Context

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

EXAMPLE = ("one", "two texts of different lengths, so that one of them is padded")


class Encoder:
    """A model with resolved settings. The weights are loaded when the first text has to go through them.

    Args:
        settings: as asked.
        context: device, cache.
        called: the model's name, where it is not that of the settings: of a folder that was trained from a named model.

    Raises:
        ModelError: the model has prompts and it is not clear which to take, or its family needs prompts and none is
            named.
        Unavailable: the model is not to be had.
    """

    def __init__(self, settings: EncoderSettings, context: Context, called: str | None = None) -> None:
        settings.check()
        self._context = context
        self._settings = settings
        self._called = called
        self.folder: ModelFolder = resolve(settings.model, context, settings.revision)
        if called is not None:
            self.folder = replace(self.folder, name=called, source="trained")
        config = self.folder.config("config_sentence_transformers.json")
        asked: dict[Side, str | None] = {"query": settings.query_prompt, "document": settings.document_prompt}
        self.prompts: dict[Side, str] = model_prompts(self.folder.name, asked, config, trained=called is not None)
        self.similarity = settings.similarity or config.get("similarity_fn_name") or "cosine"
        if self.similarity not in ("cosine", "dot"):
            raise SettingError(
                f'{self.folder.name} compares by {self.similarity}; say similarity="cosine" or similarity="dot".'
            )

    @cached_property
    def resolved(self) -> dict[str, Any]:
        """Everything that decides a vector, as it turned out; JSON-safe."""
        bert = self.folder.config("sentence_bert_config.json")
        return {
            "model": self.folder.name,
            "source": self.folder.source,
            "revision": self.folder.revision,
            "sha": self.folder.sha,
            "query_prompt": self.prompts["query"],
            "document_prompt": self.prompts["document"],
            "pooling": self._settings.pooling or own_pooling(self.folder),
            "max_length": self._settings.max_length or bert.get("max_seq_length") or tokenizer_length(self.folder),
            "precision": self._settings.precision,
            "similarity": self.similarity,
            **({"dimensions": self._settings.dimensions} if self._settings.dimensions else {}),
        }

    def key(self, side: Side) -> str:
        """Hash of everything that decides a vector of this side, except the text."""
        return hashlib.sha256(json.dumps(self._deciding(side), sort_keys=True).encode()).hexdigest()[:32]

    @cached_property
    def fingerprint(self) -> str:
        """Hash of both sides, and of what is kept of a vector."""
        return self._both if self._settings.dimensions is None else f"{self._both}-{self._settings.dimensions}"

    @cached_property
    def _both(self) -> str:
        return hashlib.sha256((self.key("query") + self.key("document")).encode()).hexdigest()[:16]

    def _deciding(self, side: Side) -> dict[str, Any]:
        settings = self._settings
        return {
            "code": code_of(__name__, settings.engine or Torch(), without=APART, libraries=MODELS),
            "sha": self.folder.sha,
            "side": side,
            "prompt": self.prompts[side],
            "pooling": settings.pooling,
            "max_length": settings.max_length,
            "precision": settings.precision,
            "normalised": self.similarity == "cosine",
            **({"told_its_side": True} if self._reads_sides else {}),
            **({"engine": str(engine), "versions": engine.versions()} if (engine := settings.engine) else {}),
        }

    @cached_property
    def _reads_sides(self) -> bool:
        return reads_sides(self.folder.path)

    def reading(self, side: Side) -> Reading:
        """How texts of a side are given to the model."""
        return Reading(self.prompts[side], side)

    def vectors(self, texts: Sequence[str], side: Side) -> Vectors:
        """(N, D) vectors of the texts, those not kept yet encoded and kept, whole whatever the dimensions asked for.

        Args:
            texts: read by slices, so a corpus larger than memory will do.
            side: which prompt.

        Raises:
            ModelError: the model answers something that is not a number; what was encoded before is kept.
        """
        describe = {"model": self.folder.name, **self._deciding(side)}
        store = VectorStore(self._context.cache, "embeddings", self.key(side), describe)
        work = Work[str, Floats](
            label=f"encode {SIDE_NAMES[side]}",
            unit="texts",
            keys=text_keys,
            lengths=lambda some: [item.length for item in some],
            run=lambda some: self.run(some, side),
            budget=self._engined.budget,
            prepare=lambda some: self.items(some, side),
        )
        whole = kept(texts, work, store, self._context)
        dimensions = self._settings.dimensions
        return whole if dimensions is None else Truncated(whole, dimensions, self.similarity == "cosine")

    def afresh(self, texts: Sequence[str], side: Side) -> Floats:
        """(n, D) vectors of texts, as `vectors` gives them, encoded now and not kept."""
        whole, dimensions = self.encode(texts, side), self._settings.dimensions
        return whole if dimensions is None else cut(whole, dimensions, self.similarity == "cosine")

    def encode(self, texts: Sequence[str], side: Side) -> Floats:
        """(n, D) vectors of texts with all the model's dimensions, encoded now in one batch and not kept."""
        return self.run(self.items(texts, side), side)

    def items(self, texts: Sequence[str], side: Side) -> list[Item[str]]:
        """Texts of a side with their prompt, tokenised and cut as the model reads them."""
        return self._engined.items(texts, self.reading(side))

    def in_batches(self, texts: Sequence[str], side: Side) -> Floats:
        """As `encode`, in batches as those of `vectors`; of N ≥ 1 texts."""
        return self._engined.answers(texts, self.reading(side), lambda items: self.run(items, side))

    def run(self, items: Sequence[Item[str]], side: Side) -> Floats:
        """(n, D) vectors of texts that are tokenised, in one batch.

        Raises:
            ModelError: a value is not a number, or memory is short.
            Unfit: the engine cannot take the model.
        """
        vectors = self._engined.answer(items, self.reading(side))
        if not np.isfinite(vectors).all():
            bad = items[int(np.flatnonzero(~np.isfinite(vectors).all(axis=1))[0])].source
            raise ModelError(
                f"{self.folder.name} ({self._settings.precision}) answered a {side} with values that are not numbers, "
                f"first for "
                f'{bad[:80]!r}. Try precision="fp32"; if it persists the weights are damaged.'
            )
        return vectors

    def _by_library(self, texts: Sequence[str], reading: Reading) -> Floats:
        return vectors_by_library(self.model, texts, reading, normalise=self.similarity == "cosine", batch=len(texts))

    @cached_property
    def _engined(self) -> Engined[str]:
        part = Part[str](
            name=self.folder.name,
            key=self._both,
            load=lambda precision: self.at(precision).model,
            output="sentence_embedding",
            normalise=self.similarity == "cosine",
            example=EXAMPLE,
            lengths=lambda texts, reading: token_lengths(self.model, texts, reading),
            library=self._by_library,
        )
        return Engined(part, self._settings.engine, self._settings.precision, self._context)

    @property
    def model(self) -> SentenceTransformer:
        """The loaded model; one per run and settings. Of another engine than `torch` the one that it was made from."""
        if self._settings.engine is not None:
            return self.at("fp32").model
        label = f"load {self.folder.name}"
        return self._context.ledger.once("model", label, self._both, self._load)

    @property
    def settings(self) -> EncoderSettings:
        """As asked."""
        return self._settings

    @property
    def source(self) -> tuple[str, str | None]:
        """Name or folder, and revision, that settings would be given to open the same weights."""
        return self._settings.model, self._settings.revision

    @property
    def trusted(self) -> bool:
        """Whether the code that the model's folder brings may run."""
        return self._settings.trust_remote_code

    def fresh(self) -> SentenceTransformer:
        """The model loaded anew in fp32, for training: nobody else holds it."""
        return self._load("fp32")

    def retrained(self, path: Path) -> Encoder:
        """The encoder that training made of this one: its folder with the prompts in it, this one's length and
        similarity.
        """
        settings = replace(
            self._settings,
            model=str(path),
            revision=None,
            query_prompt=None,
            document_prompt=None,
            pooling=None,
            max_length=self.resolved["max_length"],
            similarity=self.similarity,
        )
        return open_encoder(settings, self._context, self.folder.name)

    def _load(self, precision: str | None = None) -> SentenceTransformer:
        # Imported here: torch takes seconds to import, and a run whose vectors are all kept does not need it.
        from sentence_transformers import SentenceTransformer

        settings = self._settings
        options = options_of(self._context.device, precision or settings.precision, trusted=settings.trust_remote_code)
        with opening(self.folder, trusted=settings.trust_remote_code):
            model = SentenceTransformer(str(self.folder.path), **options)
        model.eval()
        if settings.max_length is not None:
            model.max_seq_length = settings.max_length
        # What training made has the length of the model it came from, as a setting.
        bound(model, self.folder.name, settings.max_length if self._called is None else None)
        if settings.pooling is not None:
            repool(model, settings.pooling)
        return model

    def tokens(self, texts: Sequence[str], side: Side) -> list[int]:
        """Tokens of each text with its prompt, before anything is cut; empty where the model has no fast tokenizer."""
        tokenizer: Any = fast_tokenizer(self.model, side)
        if tokenizer is None:
            return []
        whole = [readable(self.prompts[side] + text) for text in texts]
        counted = tokenizer(whole, add_special_tokens=True, truncation=False, padding=False, verbose=False)
        return [len(ids) for ids in counted["input_ids"]]

    def of(self, dimensions: int | None) -> Encoder:
        """The same model, so many of the first dimensions kept of a vector; None keeps all."""
        if dimensions == self._settings.dimensions:
            return self
        return open_encoder(replace(self._settings, dimensions=dimensions), self._context, self._called)

    def at(self, precision: str) -> Encoder:
        """The same model in `torch`, its weights in memory at another precision."""
        return self.by(Way(Torch(), precision))

    def by(self, way: Way) -> Encoder:
        """The same model, computed another way."""
        engine = None if isinstance(way.engine, Torch) else way.engine
        if (way.precision, engine) == (self._settings.precision, self._settings.engine):
            return self
        return open_encoder(
            replace(self._settings, precision=way.precision, engine=engine), self._context, self._called
        )

    def answers(self, way: Way, sample: Sample) -> Answers:
        """What a way answers to a sample of a collection, for the golden probe."""
        encoder = self.by(way)
        queries, documents = (
            encoder.in_batches(sample.queries, "query"),
            encoder.in_batches(sample.documents, "document"),
        )
        return Answers(queries @ documents.T, np.concatenate([queries, documents]), lengths=self.similarity == "dot")


def open_encoder(settings: EncoderSettings, context: Context, called: str | None = None) -> Encoder:
    """The encoder for these settings, one per run; `called` is the model's name where the settings hold a trained
    folder.
    """
    key = hashlib.sha256(f"{settings!r} {called}".encode()).hexdigest()
    return context.ledger.once(
        "model", f"resolve {called or settings.model}", key, lambda: Encoder(settings, context, called)
    )
