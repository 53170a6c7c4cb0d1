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

from harness.cache.vectors import VectorStore, text_keys
from harness.context import Context
from harness.errors import ModelError, SettingError, Unavailable
from harness.indexes import Vectors
from harness.modeling.keep import Work, batch_tokens, kept, memory_advice, no_weight_bars
from harness.modeling.prompts import family
from harness.modeling.resolve import ModelFolder, resolve
from harness.modeling.truncated import Truncated, cut
from harness.ranking import Floats

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

Side = Literal["query", "document"]
SIDE_NAMES: dict[Side, str] = {"query": "queries", "document": "documents"}
SIDE_PROMPTS = {"query": ("query", "search_query"), "document": ("document", "passage", "corpus", "search_document")}
POOLINGS = ("mean", "cls", "max", "lasttoken", "weightedmean", "mean_sqrt_len_tokens")
PRECISIONS = ("fp32", "bf16", "fp16")
LONGEST = 10**7
"""A limit of tokens beyond this is a tokenizer's way of saying that it has none."""


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
        precision: of the weights in memory: `fp32`, `bf16` or `fp16`; vectors are kept as float32.
        similarity: `cosine` (vectors are normalised) or `dot`.
        trust_remote_code: run the code that the model's folder brings.
        dimensions: the first so many are kept of a vector; None keeps all.
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

    def check(self) -> None:
        """Raises SettingError where a setting is out of range."""
        for name, value, known in (
            ("pooling", self.pooling, (None, *POOLINGS)),
            ("precision", self.precision, PRECISIONS),
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
            "pooling": self._settings.pooling or _pooling(self.folder),
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
            "sha": self.folder.sha,
            "side": side,
            "prompt": self.prompts[side],
            "pooling": settings.pooling,
            "max_length": settings.max_length,
            "precision": settings.precision,
            "normalised": self.similarity == "cosine",
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
            lengths=lambda some: self._lengths(some, side),
            run=lambda some: self.encode(some, side),
            budget=lambda: batch_tokens(self._context, self.model.device.type),
        )
        whole = kept(texts, work, store, self._context)
        dimensions = self._settings.dimensions
        return whole if dimensions is None else Truncated(whole, dimensions, self.similarity == "cosine")

    def afresh(self, texts: Sequence[str], side: Side) -> Floats:
        """(n, D) vectors of texts, as `vectors` gives them, encoded now and not kept."""
        whole, dimensions = self.encode(texts, side), self._settings.dimensions
        return whole if dimensions is None else cut(whole, dimensions, self.similarity == "cosine")

    def encode(self, texts: Sequence[str], side: Side) -> Floats:
        """(n, D) vectors of texts with all the model's dimensions, encoded now and not kept."""
        with memory_advice(self.folder.name):
            vectors = self.model.encode(
                list(texts),
                prompt=self.prompts[side],
                batch_size=max(1, len(texts)),
                normalize_embeddings=self.similarity == "cosine",
                show_progress_bar=False,
            )
        vectors = np.asarray(vectors, dtype=np.float32)
        if not np.isfinite(vectors).all():
            bad = texts[int(np.flatnonzero(~np.isfinite(vectors).all(axis=1))[0])]
            raise ModelError(
                f"{self.folder.name} ({self._settings.precision}) answered a {side} with values that are not numbers, first for "
                f'{bad[:80]!r}. Try precision="fp32"; if it persists the weights are damaged.'
            )
        return vectors

    @property
    def model(self) -> SentenceTransformer:
        """The loaded model; one per run and settings."""
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
            _repool(model, settings.pooling)
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
        """The same model, its weights in memory at another precision."""
        if precision == self._settings.precision:
            return self
        return open_encoder(replace(self._settings, precision=precision), self._context, self._called)

    def _lengths(self, texts: Sequence[str], side: Side) -> list[int]:
        """Tokens of each text as the model will see it; characters where the model has no fast tokenizer."""
        return token_lengths(self.model, texts, self.prompts[side])


def side_prompt(side: Side, asked: str | None, own: Mapping[str, str]) -> str:
    """What is put before a text of a side: as asked, else the first of the model's own prompts that is called after it."""
    if asked is not None:
        return asked
    return next((own[name] for name in SIDE_PROMPTS[side] if name in own), "")


def token_lengths(model: Any, texts: Sequence[str], prompt: str) -> list[int]:
    """Tokens of each text with its prompt, cut at the model's limit; characters where it has no fast tokenizer."""
    tokenizer: Any = getattr(model, "tokenizer", None)
    limit = min(model.max_seq_length or 512, LONGEST)
    if not getattr(tokenizer, "is_fast", False):
        return [min(len(t) // 4 + 1, limit) for t in texts]
    tokens = tokenizer([prompt + t for t in texts], add_special_tokens=True, truncation=True, max_length=limit, padding=False)
    return [len(ids) for ids in tokens["input_ids"]]


def tokenizer_length(folder: ModelFolder) -> int | None:
    """The tokenizer's own limit; None where it says it has none, as a number beyond any text."""
    length = folder.config("tokenizer_config.json").get("model_max_length")
    return int(length) if isinstance(length, int | float) and length < LONGEST else None


def _pooling(folder: ModelFolder) -> str | None:
    for module in folder.config("modules.json").get("modules", []):
        if str(module.get("type", "")).endswith("Pooling"):
            config = folder.config(f"{module['path']}/config.json")
            chosen = [
                name.removeprefix("pooling_mode_")
                for name, on in config.items()
                if name.startswith("pooling_mode_") and on is True
            ]
            return str(config.get("pooling_mode") or "+".join(chosen).replace("mean_tokens", "mean").replace("cls_token", "cls"))
    return "mean" if not (folder.path / "modules.json").exists() else None


def _repool(model: SentenceTransformer, mode: str) -> None:
    from sentence_transformers.sentence_transformer.modules import Pooling

    for name, module in model.named_children():
        if isinstance(module, Pooling):
            setattr(model, name, Pooling(module.embedding_dimension, pooling_mode=mode, include_prompt=module.include_prompt))
            return
    raise SettingError(f"pooling={mode!r}: the model has no pooling layer to change.")


def open_encoder(settings: EncoderSettings, context: Context, called: str | None = None) -> Encoder:
    """The encoder for these settings, one per run; `called` is the model's name where the settings hold a trained folder."""
    key = hashlib.sha256(f"{settings!r} {called}".encode()).hexdigest()
    return context.once("model", f"resolve {called or settings.model}", key, lambda: Encoder(settings, context, called))
