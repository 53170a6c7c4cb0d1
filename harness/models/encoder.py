"""Encoders: texts → vectors, each text encoded once per encoder and cached."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.base.errors import SettingError
from harness.cache.code import MODELS, code_of
from harness.cache.shards import text_keys
from harness.cache.vectors import VectorStore
from harness.data.ranking import Floats
from harness.engines.torch import Torch
from harness.indexes import Vectors
from harness.models._pooling import pooling_of
from harness.models._sentence_transformer import load_encoder
from harness.models.encode_once import APART, EncodeTask, encode_once
from harness.models.engine_compare import SampleOutputs
from harness.models.engine_settings import EngineConfig
from harness.models.finite import check_finite
from harness.models.library import vectors_by_library
from harness.models.local_model import EngineModel, hash_of, open_model
from harness.models.model_runner import ModelRunner, RunnableModel
from harness.models.prompts import model_prompts
from harness.models.resolve import tokenizer_length
from harness.models.sample import Sample
from harness.models.settings import EncoderSettings as EncoderSettings
from harness.models.sides import SIDE_NAMES, depends_on_side
from harness.models.sides import Side as Side
from harness.models.tokens import InputFormat, Item, token_lengths
from harness.models.truncated import Truncated, cut
from harness.runtime.context import Context

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

EXAMPLE = ("one", "two texts of different lengths, so that one of them is padded")


class Encoder(EngineModel[EncoderSettings]):
    """An encoder of one vector per text; see `LocalModel` for the arguments.

    Raises:
        ModelError: the model has prompts and it is not clear which to use, or its family needs prompts and none is set.
        SettingError: a setting is out of range, or the model compares by another similarity than cosine or dot product.
    """

    def __init__(self, settings: EncoderSettings, context: Context, trained_from: str | None = None) -> None:
        settings.check()
        super().__init__(settings, context, trained_from)
        config = self.folder.config("config_sentence_transformers.json")
        requested: dict[Side, str | None] = {"query": settings.query_prompt, "document": settings.document_prompt}
        is_trained = trained_from is not None
        self.prompts: dict[Side, str] = model_prompts(self.folder.name, requested, config, trained=is_trained)
        self.similarity = settings.similarity or config.get("similarity_fn_name") or "cosine"
        if self.similarity not in ("cosine", "dot"):
            raise SettingError(
                f"{self.folder.name} compares vectors by {self.similarity}, which is not supported; set "
                'similarity="cosine" or similarity="dot".'
            )

    # Keys

    @cached_property
    def resolved(self) -> dict[str, Any]:
        """Everything that decides a vector, with all defaults filled in; JSON-safe."""
        bert = self.folder.config("sentence_bert_config.json")
        return {
            "model": self.folder.name,
            "source": self.folder.source,
            "revision": self.folder.revision,
            "sha": self.folder.sha,
            "query_prompt": self.prompts["query"],
            "document_prompt": self.prompts["document"],
            "pooling": self.settings.pooling or pooling_of(self.folder),
            "max_length": self.settings.max_length or bert.get("max_seq_length") or tokenizer_length(self.folder),
            "precision": self.settings.precision,
            "similarity": self.similarity,
            **({"dimensions": self.settings.dimensions} if self.settings.dimensions else {}),
        }

    def key(self, side: Side) -> str:
        """Hash of everything that decides a vector of this side, except the text."""
        return hash_of(self._deciding(side))

    @cached_property
    def fingerprint(self) -> str:
        """Hash of both sides, with the number of dimensions that are used."""
        return self._both if self.settings.dimensions is None else f"{self._both}-{self.settings.dimensions}"

    @cached_property
    def _both(self) -> str:
        return hashlib.sha256((self.key("query") + self.key("document")).encode()).hexdigest()[:16]

    def _deciding(self, side: Side) -> dict[str, Any]:
        settings = self.settings
        deciding = {
            "code": code_of(__name__, settings.engine or Torch(), without=APART, libraries=MODELS),
            "sha": self.folder.sha,
            "side": side,
            "prompt": self.prompts[side],
            "pooling": settings.pooling,
            "max_length": settings.max_length,
            "precision": settings.precision,
            "normalised": self.similarity == "cosine",
        }
        if self._depends_on_side:
            deciding["depends_on_side"] = True
        if settings.engine:
            deciding |= {"engine": str(settings.engine), "versions": settings.engine.versions(settings.precision)}
        return deciding

    @cached_property
    def _depends_on_side(self) -> bool:
        return depends_on_side(self.folder.path)

    # Vectors

    def input_format(self, side: Side) -> InputFormat:
        """How texts of a side are given to the model."""
        return InputFormat(self.prompts[side], side)

    def vectors(self, texts: Sequence[str], side: Side) -> Vectors:
        """(N, D) vectors of the texts; those that are not cached are encoded and cached with all their dimensions.

        Args:
            texts: read by slices, so a corpus may be larger than memory.
            side: decides the prompt.

        Raises:
            ModelError: the model gives a value that is not a number; what was encoded before stays cached.
        """
        describe = {"model": self.folder.name, **self._deciding(side)}
        store = VectorStore(self._context.cache, "embeddings", self.key(side), describe)
        task = EncodeTask[str, Floats](
            label=f"encode {SIDE_NAMES[side]}",
            unit="texts",
            keys=text_keys,
            lengths=lambda some: [item.length for item in some],
            run=lambda some: self.run(some, side),
            budget=self._runner.budget,
            prepare=lambda some: self.items(some, side),
        )
        whole = encode_once(texts, task, store, self._context)
        dimensions = self.settings.dimensions
        return whole if dimensions is None else Truncated(whole, dimensions, self.similarity == "cosine")

    def encode_uncached(self, texts: Sequence[str], side: Side) -> Floats:
        """(n, D) vectors of texts, as `vectors` gives them; the cache is neither read nor written."""
        whole, dimensions = self.encode(texts, side), self.settings.dimensions
        return whole if dimensions is None else cut(whole, dimensions, self.similarity == "cosine")

    def encode(self, texts: Sequence[str], side: Side) -> Floats:
        """(n, D) vectors of texts with all the model's dimensions, encoded in one batch and not cached."""
        return self.run(self.items(texts, side), side)

    def items(self, texts: Sequence[str], side: Side) -> list[Item[str]]:
        """Texts of a side with their prompt, tokenised and cut as the model reads them."""
        return self._runner.items(texts, self.input_format(side))

    def encode_in_batches(self, texts: Sequence[str], side: Side) -> Floats:
        """As `encode`, in the batches that `vectors` would make; of N ≥ 1 texts."""
        return self._runner.run(texts, self.input_format(side), lambda items: self.run(items, side))

    def run(self, items: Sequence[Item[str]], side: Side) -> Floats:
        """(n, D) vectors of tokenised texts, in one batch.

        Raises:
            ModelError: a value is not a number, or memory is short.
            Unfit: the engine cannot run the model.
        """
        vectors = self._runner.run_batch(items, self.input_format(side))
        if not np.isfinite(vectors).all():
            name = f"{self.folder.name} ({self.settings.precision})"
            check_finite(name, side, [item.source for item in items], list(vectors))
        return vectors

    def _by_library(self, texts: Sequence[str], form: InputFormat) -> Floats:
        return vectors_by_library(self.model, texts, form, normalise=self.similarity == "cosine", batch=len(texts))

    @cached_property
    def _runner(self) -> ModelRunner[str]:
        model = RunnableModel[str](
            name=self.folder.name,
            key=self._both,
            load=lambda precision: self.with_precision(precision).model,
            output="sentence_embedding",
            normalise=self.similarity == "cosine",
            example=EXAMPLE,
            lengths=lambda texts, form: token_lengths(self.model, texts, form),
            library=self._by_library,
        )
        return ModelRunner(model, self.settings.engine, self.settings.precision, self._context)

    # The model

    @property
    def model(self) -> SentenceTransformer:
        """The loaded model in `torch`, loaded once in a run; another engine makes its own from it."""
        if self.settings.engine is not None:
            return self.with_precision("fp32").model
        return self._context.ledger.once("model", f"load {self.folder.name}", self._both, self._load)

    def fresh(self) -> SentenceTransformer:
        """The model in fp32, loaded again for training: it is shared with no other row."""
        return self._load("fp32")

    def _load(self, precision: str | None = None) -> SentenceTransformer:
        settings, length = self.settings, self._own_length(self.settings.max_length)
        return load_encoder(self.folder, settings, self._context.device, precision or settings.precision, length)

    # The same model with other settings

    def retrained(self, path: Path) -> Encoder:
        """The encoder that training made of this one: its folder and prompts, this one's length and similarity."""
        settings = replace(
            self.settings,
            model=str(path),
            revision=None,
            query_prompt=None,
            document_prompt=None,
            pooling=None,
            max_length=self.resolved["max_length"],
            similarity=self.similarity,
        )
        return open_encoder(settings, self._context, self.folder.name)

    def with_dimensions(self, dimensions: int | None) -> Encoder:
        """The same model with only the first dimensions of each vector; None takes all."""
        changed = replace(self.settings, dimensions=dimensions)
        return self if changed == self.settings else open_encoder(changed, self._context, self._trained_from)

    def sample_outputs(self, config: EngineConfig, sample: Sample) -> SampleOutputs:
        """Outputs of an engine for a sample of a collection, for the engine check."""
        encoder = self.with_engine(config)
        queries = encoder.encode_in_batches(sample.queries, "query")
        documents = encoder.encode_in_batches(sample.documents, "document")
        vectors = np.concatenate([queries, documents])
        return SampleOutputs(queries @ documents.T, vectors, lengths=self.similarity == "dot")


def open_encoder(settings: EncoderSettings, context: Context, trained_from: str | None = None) -> Encoder:
    """The encoder of these settings, resolved once in a run; `trained_from` names the model of a trained folder."""
    return open_model(Encoder, settings, context, trained_from)
