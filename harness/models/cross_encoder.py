"""Cross-encoders: (query, document) pairs → scores, each pair scored once per model and cached."""

from __future__ import annotations

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
from harness.choices.bounds import Count
from harness.data.ranking import Floats
from harness.engines import Engine
from harness.engines.torch import Torch
from harness.models._pair_model import load_pair_model
from harness.models.encode_once import APART, EncodeTask, encode_once
from harness.models.engine_compare import SampleOutputs
from harness.models.engine_settings import EngineConfig
from harness.models.limits import length_of
from harness.models.local_model import EngineModel, hash_of, open_model
from harness.models.model_runner import ModelRunner, RunnableModel
from harness.models.prompts import PAIR, pair_prompt
from harness.models.resolve import UNLIMITED
from harness.models.sample import Sample
from harness.models.settings import ModelSource, Precision
from harness.models.tokens import InputFormat, Item
from harness.runtime.context import Context

if TYPE_CHECKING:
    from sentence_transformers import CrossEncoder

Pair = tuple[str, str]
EXAMPLE: tuple[Pair, ...] = (
    ("one", "text"),
    ("another", "pair of texts of another length, so that one of them is padded"),
)
CHECKED = (6, 10)
"""Queries and documents of a sample of which the engine check scores all pairs, so the cost is their product."""


@dataclass(frozen=True)
class PairModel(ModelSource):
    """A cross-encoder.

    Args: those of `ModelSource` and
        max_length: tokens at which query and document together are cut; None takes the model's own.
        precision: of the weights and products.
        trust_remote_code: run the code that comes with the model's folder.
    """

    max_length: Count | None = None
    precision: Precision = "fp32"
    trust_remote_code: bool = False


@dataclass(frozen=True)
class PairSettings(PairModel):
    """Everything that decides a pair's score, as requested.

    Args: those of `PairModel` (the precision is one that the engine supports) and
        engine: what computes the model; None is `torch`.
        prompt: put before each query; None takes the model's own default.
    """

    engine: Engine | None = None
    prompt: str | None = None

    def check(self) -> None:
        """Raises SettingError if a setting is out of range."""
        known = (self.engine or Torch()).precisions
        if self.precision not in known:
            raise SettingError(f"cross_encoder: precision must be one of {', '.join(known)}, not {self.precision!r}")
        if self.max_length is not None and self.max_length < 1:
            raise SettingError(f"cross_encoder: max_length must be 1 or more, not {self.max_length}")


class PairScorer(EngineModel[PairSettings]):
    """A cross-encoder; see `LocalModel` for the arguments.

    Raises:
        ModelError: the model has prompts and it is not clear which to use.
        SettingError: a setting is out of range.
    """

    def __init__(self, settings: PairSettings, context: Context, trained_from: str | None = None) -> None:
        settings.check()
        super().__init__(settings, context, trained_from)
        config = self.folder.config("config_sentence_transformers.json")
        self.prompt = pair_prompt(self.folder.name, settings.prompt, config)
        self._form = InputFormat(self.prompt)

    @cached_property
    def resolved(self) -> dict[str, Any]:
        """Everything that decides a score, with all defaults filled in; JSON-safe."""
        settings = self.settings
        engine, exact = settings.engine, settings.precision == "fp32" or settings.engine is not None
        return {
            "model": self.folder.name,
            "source": self.folder.source,
            "revision": self.folder.revision,
            "sha": self.folder.sha,
            "max_length": settings.max_length,
            "precision": settings.precision if exact else f"{settings.precision}, last layer fp32",
            **({"prompt": self.prompt} if self.prompt else {}),
            **({"engine": str(engine), "versions": engine.versions(settings.precision)} if engine else {}),
        }

    @cached_property
    def key(self) -> str:
        """Hash of everything that decides a score, except the pair."""
        deciding = {k: v for k, v in self.resolved.items() if k not in ("model", "source", "revision")}
        deciding["code"] = code_of(__name__, self.settings.engine or Torch(), without=APART, libraries=MODELS)
        return hash_of(deciding)

    def scores(self, pairs: Sequence[Pair]) -> Floats:
        """(N,) scores of pairs; those that are not cached are computed and cached.

        Raises:
            ModelError: the model gives a value that is not a number, or more than one number per pair.
        """
        store = VectorStore(self._context.cache, "pairs", self.key, self.resolved)
        task = EncodeTask[Pair, Floats](
            label="score pairs",
            unit="pairs",
            keys=_pair_keys,
            lengths=lambda some: [item.length for item in some],
            run=self.run,
            budget=self._runner.budget,
            prepare=self.items,
        )
        vectors = encode_once(pairs, task, store, self._context)
        return vectors.block(0, len(vectors))[:, 0] if len(vectors) else np.zeros(0, np.float32)

    def items(self, pairs: Sequence[Pair]) -> list[Item[Pair]]:
        """Pairs, tokenised and cut as the model reads them."""
        return self._runner.items(pairs, self._form)

    def compute(self, pairs: Sequence[Pair]) -> Floats:
        """(n, 1) scores of pairs, computed in batches by length and not cached."""
        return self._runner.run(pairs, self._form, self.run)

    def run(self, items: Sequence[Item[Pair]]) -> Floats:
        """(n, 1) scores of tokenised pairs, in one batch.

        Scores are the model's logits: in float32 a sigmoid would be exactly 1 for many documents and tie them.

        Raises:
            ModelError: a value is not a number, there is more than one per pair, or memory is short.
            Unfit: the engine cannot run the model.
        """
        scores = self._runner.run_batch(items, self._form)
        if scores.ndim == 2 and scores.shape[1] != 1:
            raise ModelError(
                f"{self.folder.name} gives {scores.shape[1]} numbers per pair, but a re-ranker needs one score: use a "
                "cross-encoder with num_labels=1."
            )
        if not np.isfinite(scores).all():
            raise ModelError(
                f'{self.folder.name} gave a pair a score that is not a number (NaN or infinity). Try precision="fp32".'
            )
        return scores.reshape(-1, 1)

    def _by_library(self, pairs: Sequence[Pair], form: InputFormat) -> Floats:
        import torch

        identity, size = torch.nn.Identity(), max(1, len(pairs))
        return self.model.predict(
            list(pairs), prompt=form.prompt, batch_size=size, activation_fn=identity, show_progress_bar=False
        )

    @cached_property
    def _runner(self) -> ModelRunner[Pair]:
        model = RunnableModel[Pair](
            name=self.folder.name,
            key=self.key,
            load=lambda precision: self.with_precision(precision).model,
            output="scores",
            normalise=False,
            example=EXAMPLE,
            lengths=lambda pairs, _: self._lengths(pairs),
            library=self._by_library,
        )
        return ModelRunner(model, self.settings.engine, self.settings.precision, self._context)

    @property
    def model(self) -> CrossEncoder:
        """The loaded model in `torch`, loaded once in a run; another engine makes its own from it."""
        if self.settings.engine is not None:
            return self.with_precision("fp32").model
        loaded: CrossEncoder = self._context.ledger.once("model", f"load {self.folder.name}", self.key, self._load)
        return loaded

    def fresh(self) -> CrossEncoder:
        """The model in fp32, loaded again for training; without a scoring head (an encoder) it gets a random one."""
        model = self._load("fp32", num_labels=1)
        model.prompts = {PAIR: self.prompt} if self.prompt else {}
        model.default_prompt_name = PAIR if self.prompt else None
        return model

    def _load(self, precision: str | None = None, **options: Any) -> CrossEncoder:
        settings, own = self.settings, self._own_length(self.settings.max_length)
        precision = precision or settings.precision
        device, trusted = self._context.device, self.trusted
        return load_pair_model(self.folder, device, precision, settings.max_length, own, trusted=trusted, **options)

    def retrained(self, path: Path) -> PairScorer:
        """The scorer that training made of this one: its folder, with the length of this one."""
        settings = replace(self.settings, model=str(path), revision=None)
        return open_pair_scorer(settings, self._context, self.folder.name)

    def sample_outputs(self, config: EngineConfig, sample: Sample) -> SampleOutputs:
        """Outputs of an engine for some pairs of a collection's sample, for the engine check."""
        most = zip((sample.queries, sample.documents), CHECKED, strict=True)
        queries, documents = (some[:: max(1, len(some) // n)][:n] for some, n in most)
        scores = self.with_engine(config).compute([(query, document) for query in queries for document in documents])
        return SampleOutputs(scores.reshape(len(queries), len(documents)))

    def _lengths(self, pairs: Sequence[Pair]) -> list[int]:
        tokenizer: Any = self.model.tokenizer
        whole = [[self.prompt + query, document] for query, document in pairs]
        encoded = tokenizer(whole, truncation=True, max_length=length_of(self.model, None, UNLIMITED), padding=False)
        return [max(1, len(ids)) for ids in encoded["input_ids"]]


def _pair_keys(pairs: Sequence[Pair]) -> pa.Array:
    """Hashes of pairs; the query's length comes first, so that no two pairs give the same text."""
    return text_keys(f"{len(query)} {query}{document}" for query, document in pairs)


def open_pair_scorer(settings: PairSettings, context: Context, trained_from: str | None = None) -> PairScorer:
    """The scorer of these settings, resolved once in a run; `trained_from` names the model of a trained folder."""
    return open_model(PairScorer, settings, context, trained_from)
