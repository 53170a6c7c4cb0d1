"""Encoders: texts → vectors, each text encoded once per encoder and kept."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from harness.cache.code import MODELS, code_of
from harness.cache.vectors import VectorStore, text_keys
from harness.context import Context
from harness.engines import Engine
from harness.engines.torch import Torch
from harness.errors import ModelError, SettingError, Unavailable
from harness.indexes import Vectors
from harness.modeling._pooling import pooling as own_pooling
from harness.modeling._pooling import repool
from harness.modeling.engined import Engined, Part
from harness.modeling.golden import Answers, Sample, Way
from harness.modeling.keep import APART, Work, kept, no_weight_bars
from harness.modeling.prompts import family
from harness.modeling.resolve import ModelFolder, resolve, tokenizer_length
from harness.modeling.tokens import Item, token_lengths
from harness.modeling.truncated import Truncated, cut
from harness.ranking import Floats

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

Side = Literal["query", "document"]
SIDE_NAMES: dict[Side, str] = {"query": "queries", "document": "documents"}
SIDE_PROMPTS = {"query": ("query", "search_query"), "document": ("document", "passage", "corpus", "search_document")}
POOLINGS = ("mean", "cls", "max", "lasttoken", "weightedmean", "mean_sqrt_len_tokens")
PRECISIONS = Torch.precisions
EXAMPLE = ("one", "two texts of different lengths, so that one of them is padded")


@dataclass(frozen=True)
class EncoderSettings:
    """Everything that decides a vector, as asked; None takes the model's own.

    Args:
        model: hub name or folder.
        revision: the hub's commit, tag or branch.
        query_prompt: put before each query.
        document_prompt: put before each document.
        pooling: token vectors → text vector.
        max_length: tokens kept of a text.
        precision: of the weights and products: one of the engine's; vectors are kept as float32.
        similarity: `cosine` (vectors are normalised) or `dot`.
        trust_remote_code: run the code that the model's folder brings.
        dimensions: the first so many are kept of a vector; None keeps all.
        engine: what computes; None is `torch`.
    """

    model: str
    revision: str | None
    query_prompt: str | None
    document_prompt: str | None
    pooling: str | None
    max_length: int | None
    precision: str
    similarity: str | None
    trust_remote_code: bool
    dimensions: int | None = None
    engine: Engine | None = None

    def check(self) -> None:
        """Raises SettingError where a setting is out of range."""
        for name, value, known in (
            ("pooling", self.pooling, (None, *POOLINGS)),
            ("precision", self.precision, self.engine.precisions if self.engine else PRECISIONS),
            ("similarity", self.similarity, (None, "cosine", "dot")),
        ):
            if value not in known:
                raise SettingError(f"dense: {name} must be one of {', '.join(str(k) for k in known if k)}, not {value!r}")
        if self.max_length is not None and self.max_length < 1:
            raise SettingError(f"dense: max_length must be 1 or more, not {self.max_length}")
        if self.dimensions is not None and self.dimensions < 1:
            raise SettingError(f"dense: dimensions must be 1 or more, not {self.dimensions}")


class Encoder:
    """A model with resolved settings. The weights are loaded when the first text has to go through them.

    Args:
        settings: as asked.
        context: device, cache.
        called: the model's name, where it is not that of the settings: of a folder that was trained from a named model.

    Raises:
        ModelError: the model's family needs prompts and none is named.
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
        own = {str(k): str(v) for k, v in (config.get("prompts") or {}).items()}
        self.prompts: dict[Side, str] = {
            "query": side_prompt("query", settings.query_prompt, own),
            "document": side_prompt("document", settings.document_prompt, own),
        }
        asked = settings.query_prompt is not None or settings.document_prompt is not None
        if called is None and not asked and not any(self.prompts.values()) and (known := family(self.folder.name)):
            raise ModelError(
                f"{self.folder.name} was trained with prompts, and neither its configuration nor the settings name any. Its "
                f"model card says query_prompt={json.dumps(known.query)}, document_prompt={json.dumps(known.document)}; to run "
                'it with none, say query_prompt=""'
            )
        self.similarity = settings.similarity or config.get("similarity_fn_name") or "cosine"
        if self.similarity not in ("cosine", "dot"):
            raise SettingError(f'{self.folder.name} compares by {self.similarity}; say similarity="cosine" or similarity="dot".')

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
            **({"engine": str(engine), "versions": engine.versions()} if (engine := settings.engine) else {}),
        }

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
        return self._engined.items(texts, self.prompts[side])

    def in_batches(self, texts: Sequence[str], side: Side) -> Floats:
        """As `encode`, in batches as those of `vectors`; of N ≥ 1 texts."""
        return self._engined.answers(texts, self.prompts[side], lambda items: self.run(items, side))

    def run(self, items: Sequence[Item[str]], side: Side) -> Floats:
        """(n, D) vectors of texts that are tokenised, in one batch.

        Raises:
            ModelError: a value is not a number, or memory is short.
            Unfit: the engine cannot take the model.
        """
        vectors = self._engined.answer(items, self.prompts[side])
        if not np.isfinite(vectors).all():
            bad = items[int(np.flatnonzero(~np.isfinite(vectors).all(axis=1))[0])].source
            raise ModelError(
                f"{self.folder.name} ({self._settings.precision}) answered a {side} with values that are not numbers, first for "
                f'{bad[:80]!r}. Try precision="fp32"; if it persists the weights are damaged.'
            )
        return vectors

    def _by_library(self, texts: Sequence[str], prompt: str) -> Floats:
        return self.model.encode(
            list(texts),
            prompt=prompt,
            batch_size=max(1, len(texts)),
            normalize_embeddings=self.similarity == "cosine",
            show_progress_bar=False,
        )

    @cached_property
    def _engined(self) -> Engined[str]:
        part = Part[str](
            name=self.folder.name,
            key=self._both,
            load=lambda precision: self.at(precision).model,
            output="sentence_embedding",
            normalise=self.similarity == "cosine",
            example=EXAMPLE,
            lengths=lambda texts, prompt: token_lengths(self.model, texts, prompt),
            library=self._by_library,
        )
        return Engined(part, self._settings.engine, self._settings.precision, self._context)

    @property
    def model(self) -> SentenceTransformer:
        """The loaded model; one per run and settings. Of another engine than `torch` the one that it was made from."""
        if self._settings.engine is not None:
            return self.at("fp32").model
        label = f"load {self.folder.name}"
        return self._context.once("model", label, self._both, self._load)

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
        """The encoder that training made of this one: its folder with the prompts in it, this one's length and similarity."""
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
        import torch

        try:
            from sentence_transformers import SentenceTransformer
        except ModuleNotFoundError as error:  # pragma: no cover - it is a dependency
            raise Unavailable(f"dense rows need {error.name}.", "pip install retrieval-harness") from error
        settings = self._settings
        dtype = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}[precision or settings.precision]
        with no_weight_bars():
            model = SentenceTransformer(
                str(self.folder.path),
                device=self._context.device,
                local_files_only=True,
                trust_remote_code=settings.trust_remote_code,
                model_kwargs={"dtype": dtype},
            )
        model.eval()
        if settings.max_length is not None:
            model.max_seq_length = settings.max_length
        if settings.pooling is not None:
            repool(model, settings.pooling)
        return model

    def tokens(self, texts: Sequence[str], side: Side) -> list[int]:
        """Tokens of each text with its prompt, before anything is cut; empty where the model has no fast tokenizer."""
        tokenizer: Any = getattr(self.model, "tokenizer", None)
        if not getattr(tokenizer, "is_fast", False):
            return []
        prompt = self.prompts[side]
        counted = tokenizer([prompt + t for t in texts], add_special_tokens=True, truncation=False, padding=False, verbose=False)
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
        return open_encoder(replace(self._settings, precision=way.precision, engine=engine), self._context, self._called)

    def answers(self, way: Way, sample: Sample) -> Answers:
        """What a way answers to a sample of a collection, for the golden probe."""
        encoder = self.by(way)
        queries, documents = encoder.in_batches(sample.queries, "query"), encoder.in_batches(sample.documents, "document")
        return Answers(queries @ documents.T, np.concatenate([queries, documents]), lengths=self.similarity == "dot")


def side_prompt(side: Side, asked: str | None, own: Mapping[str, str]) -> str:
    """What is put before a text of a side: as asked, else the first of the model's own prompts that is called after it."""
    if asked is not None:
        return asked
    return next((own[name] for name in SIDE_PROMPTS[side] if name in own), "")


def open_encoder(settings: EncoderSettings, context: Context, called: str | None = None) -> Encoder:
    """The encoder for these settings, one per run; `called` is the model's name where the settings hold a trained folder."""
    key = hashlib.sha256(f"{settings!r} {called}".encode()).hexdigest()
    return context.once("model", f"resolve {called or settings.model}", key, lambda: Encoder(settings, context, called))
