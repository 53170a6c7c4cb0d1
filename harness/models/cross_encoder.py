"""Cross-encoders: (query, document) pairs → scores, each pair scored once per model and kept."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from harness.base.errors import ModelError, SettingError
from harness.cache.code import MODELS, code_of
from harness.cache.shards import text_keys
from harness.cache.vectors import VectorStore
from harness.data.ranking import Floats
from harness.engines import Engine
from harness.engines.torch import Torch
from harness.models.encode_once import APART, Work, kept
from harness.models.engine_check import Answers, Way
from harness.models.limits import bound, length_of
from harness.models.loading import opening, options_of
from harness.models.model_runner import Engined, Part
from harness.models.prompts import PAIR, pair_prompt
from harness.models.resolve import UNLIMITED, resolve
from harness.models.sample import Sample
from harness.models.tokens import Item, Reading
from harness.runtime.context import Context

if TYPE_CHECKING:
    from sentence_transformers import CrossEncoder

Pair = tuple[str, str]
EXAMPLE: tuple[Pair, ...] = (
    ("one", "text"),
    ("another", "pair of texts of another length, so that one of them is padded"),
)
PROBED = (6, 10)
"""Queries and documents of a sample, each with each, that the golden probe scores: it is no better than the product is
large.
"""


@dataclass(frozen=True)
class PairSettings:
    """Everything that decides a pair's score, as asked; None takes the model's own.

    Args:
        model: hub name or folder.
        revision: the hub's commit, tag or branch.
        max_length: tokens kept of query and document together.
        precision: of the weights and products: one of the engine's.
        trust_remote_code: run the code that the model's folder brings.
        engine: what computes; None is `torch`.
        prompt: put before each query; None takes the model's own default.
    """

    model: str
    revision: str | None
    max_length: int | None
    precision: str
    trust_remote_code: bool
    engine: Engine | None = None
    prompt: str | None = None

    def check(self) -> None:
        """Raises SettingError where a setting is out of range."""
        known = (self.engine or Torch()).precisions
        if self.precision not in known:
            raise SettingError(f"cross_encoder: precision must be one of {', '.join(known)}, not {self.precision!r}")
        if self.max_length is not None and self.max_length < 1:
            raise SettingError(f"cross_encoder: max_length must be 1 or more, not {self.max_length}")


class PairScorer:
    """A cross-encoder with resolved settings; the weights are loaded when the first pair has to go through them.

    Args:
        settings: as asked.
        context: device, cache.
        called: the model's name, where it is not that of the settings: of a folder that was trained from a named model.

    Raises:
        ModelError: the model has prompts and it is not clear which to take.
        Unavailable: the model is not to be had.
    """

    def __init__(self, settings: PairSettings, context: Context, called: str | None = None) -> None:
        settings.check()
        self._settings = settings
        self._context = context
        self._called = called
        self.folder = resolve(settings.model, context, settings.revision)
        if called is not None:
            self.folder = replace(self.folder, name=called, source="trained")
        self.prompt = pair_prompt(
            self.folder.name, settings.prompt, self.folder.config("config_sentence_transformers.json")
        )
        self._reading = Reading(self.prompt)

    @cached_property
    def resolved(self) -> dict[str, Any]:
        """Everything that decides a score, as it turned out; JSON-safe."""
        settings = self._settings
        engine, exact = settings.engine, settings.precision == "fp32" or settings.engine is not None
        return {
            "model": self.folder.name,
            "source": self.folder.source,
            "revision": self.folder.revision,
            "sha": self.folder.sha,
            "max_length": settings.max_length,
            "precision": settings.precision if exact else f"{settings.precision}, last layer fp32",
            **({"prompt": self.prompt} if self.prompt else {}),
            **({"engine": str(engine), "versions": engine.versions()} if engine else {}),
        }

    @cached_property
    def key(self) -> str:
        """Hash of everything that decides a score, except the pair."""
        deciding = {k: v for k, v in self.resolved.items() if k not in ("model", "source", "revision")}
        deciding["code"] = code_of(__name__, self._settings.engine or Torch(), without=APART, libraries=MODELS)
        return hashlib.sha256(json.dumps(deciding, sort_keys=True).encode()).hexdigest()[:32]

    def scores(self, pairs: Sequence[Pair]) -> Floats:
        """(N,) scores of pairs, those not kept yet computed and kept.

        Raises:
            ModelError: the model answers something that is not a number, or more than one number a pair.
        """
        store = VectorStore(self._context.cache, "pairs", self.key, self.resolved)
        work = Work[Pair, Floats](
            label="score pairs",
            unit="pairs",
            keys=_pair_keys,
            lengths=lambda some: [item.length for item in some],
            run=self.run,
            budget=self._engined.budget,
            prepare=self.items,
        )
        vectors = kept(pairs, work, store, self._context)
        return vectors.block(0, len(vectors))[:, 0] if len(vectors) else np.zeros(0, np.float32)

    def items(self, pairs: Sequence[Pair]) -> list[Item[Pair]]:
        """Pairs, tokenised and cut as the model reads them."""
        return self._engined.items(pairs, self._reading)

    def compute(self, pairs: Sequence[Pair]) -> Floats:
        """(n, 1) scores of pairs, computed now, in batches by length, and not kept."""
        return self._engined.answers(pairs, self._reading, self.run)

    def run(self, items: Sequence[Item[Pair]]) -> Floats:
        """(n, 1) scores of pairs that are tokenised, in one batch.

        They are the model's logits: a sigmoid would be 1 for many a document in float32 and tie them.

        Raises:
            ModelError: a value is not a number, there is more than one a pair, or memory is short.
            Unfit: the engine cannot take the model.
        """
        scores = self._engined.answer(items, self._reading)
        if scores.ndim == 2 and scores.shape[1] != 1:
            told = f"{self.folder.name} answers {scores.shape[1]} numbers a pair"
            raise ModelError(f"{told}; a re-ranker answers one (num_labels=1).")
        if not np.isfinite(scores).all():
            raise ModelError(
                f'{self.folder.name} answered a pair with a value that is not a number. Try precision="fp32".'
            )
        return scores.reshape(-1, 1)

    def _by_library(self, pairs: Sequence[Pair], reading: Reading) -> Floats:
        import torch

        identity, size = torch.nn.Identity(), max(1, len(pairs))
        return self.model.predict(
            list(pairs), prompt=reading.prompt, batch_size=size, activation_fn=identity, show_progress_bar=False
        )

    @cached_property
    def _engined(self) -> Engined[Pair]:
        part = Part[Pair](
            name=self.folder.name,
            key=self.key,
            load=lambda precision: self.at(precision).model,
            output="scores",
            normalise=False,
            example=EXAMPLE,
            lengths=lambda pairs, _: self._lengths(pairs),
            library=self._by_library,
        )
        return Engined(part, self._settings.engine, self._settings.precision, self._context)

    @property
    def model(self) -> CrossEncoder:
        """The loaded model; one per run and settings. Of another engine than `torch` the one that it was made from."""
        if self._settings.engine is not None:
            return self.at("fp32").model
        loaded: CrossEncoder = self._context.ledger.once("model", f"load {self.folder.name}", self.key, self._load)
        return loaded

    @property
    def source(self) -> str:
        """Name or folder that settings would be given to open the same weights."""
        return self._settings.model

    def fresh(self) -> CrossEncoder:
        """The model loaded anew in fp32, for training; one that has no scoring head (an encoder) gets a random one."""
        model = self._load("fp32", num_labels=1)
        model.prompts = {PAIR: self.prompt} if self.prompt else {}
        model.default_prompt_name = PAIR if self.prompt else None
        return model

    def retrained(self, path: Path) -> PairScorer:
        """The scorer that training made of this one: its folder, with the length of this one."""
        return open_pair_scorer(
            replace(self._settings, model=str(path), revision=None), self._context, self.folder.name
        )

    def at(self, precision: str) -> PairScorer:
        """The same model in `torch`, its weights in memory at another precision."""
        return self.by(Way(Torch(), precision))

    def by(self, way: Way) -> PairScorer:
        """The same model, computed another way."""
        engine = None if isinstance(way.engine, Torch) else way.engine
        if (way.precision, engine) == (self._settings.precision, self._settings.engine):
            return self
        return open_pair_scorer(
            replace(self._settings, precision=way.precision, engine=engine), self._context, self._called
        )

    def answers(self, way: Way, sample: Sample) -> Answers:
        """What a way answers to some of a collection's sample, for the golden probe."""
        most = zip((sample.queries, sample.documents), PROBED, strict=True)
        queries, documents = (some[:: max(1, len(some) // n)][:n] for some, n in most)
        scores = self.by(way).compute([(query, document) for query in queries for document in documents])
        return Answers(scores.reshape(len(queries), len(documents)))

    def _load(self, precision: str | None = None, **options: Any) -> CrossEncoder:
        # Imported here: a run whose pairs are all kept does not need torch.
        from sentence_transformers import CrossEncoder

        settings = self._settings
        shared = options_of(self._context.device, precision or settings.precision, trusted=settings.trust_remote_code)
        with opening(self.folder, trusted=settings.trust_remote_code):
            model = CrossEncoder(str(self.folder.path), **shared, **options)
        if settings.max_length is not None:
            model.max_seq_length = settings.max_length
        bound(model, self.folder.name, settings.max_length if self._called is None else None, pairs=True)
        _exact_head(model)
        return model  # type: ignore[no-any-return]

    def _lengths(self, pairs: Sequence[Pair]) -> list[int]:
        tokenizer: Any = self.model.tokenizer
        whole = [[self.prompt + query, document] for query, document in pairs]
        encoded = tokenizer(whole, truncation=True, max_length=length_of(self.model, None, UNLIMITED), padding=False)
        return [max(1, len(ids)) for ids in encoded["input_ids"]]


def _exact_head(model: CrossEncoder) -> None:
    """Lets the last layer answer in fp32: bf16 has so few digits that many of a query's documents would tie."""
    import torch

    if model.keep_in_fp32_modules:
        return
    heads = [
        name for name, module in model.named_modules() if type(module) is torch.nn.Linear and module.out_features == 1
    ]
    if heads:
        model.set_keep_in_fp32_modules(heads[-1:])


def _pair_keys(pairs: Sequence[Pair]) -> pa.Array:
    """The query's length goes first, so that no two pairs share a text."""
    return text_keys(f"{len(query)} {query}{document}" for query, document in pairs)


def open_pair_scorer(settings: PairSettings, context: Context, called: str | None = None) -> PairScorer:
    """The scorer for these settings, one per run; `called` is the model's name where the settings hold a trained
    folder.
    """
    key = hashlib.sha256(f"{settings!r} {called}".encode()).hexdigest()
    return context.ledger.once(
        "model", f"resolve {called or settings.model}", key, lambda: PairScorer(settings, context, called)
    )
