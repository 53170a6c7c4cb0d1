"""Runs a model in an engine: tokenised texts, or pairs, in batches → vectors or scores."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar

import numpy as np

from harness.data.ranking import Floats
from harness.engines import Engine, Network, Running
from harness.engines.torch import Torch
from harness.models.batching import packed
from harness.models.loading import memory_advice
from harness.models.local_model import hash_of
from harness.models.texts import readable
from harness.models.tokens import InputFormat, Item, Tokens
from harness.runtime.build_once import build_once
from harness.runtime.context import Context

T = TypeVar("T", str, tuple[str, str])


@dataclass(frozen=True)
class RunnableModel(Generic[T]):
    """What an engine needs to know of a model.

    Args:
        name: for messages.
        key: hash of everything that decides an output.
        load: precision of the weights → the model in `torch`, loaded once.
        output: which of its features is the output.
        normalise: whether outputs are scaled to length 1.
        example: two texts or pairs of different lengths.
        lengths: texts or pairs and their format → tokens of each, if the model does not read plain token numbers.
        library: the same → their outputs from the library, which then tokenises and batches them itself.
    """

    name: str
    key: str
    load: Callable[[str], Any]
    output: Literal["sentence_embedding", "scores"]
    normalise: bool
    example: Sequence[T]
    lengths: Callable[[Sequence[T], InputFormat], list[int]]
    library: Callable[[Sequence[T], InputFormat], Floats]


class ModelRunner(Generic[T]):
    """Runs a model in an engine. The model is loaded when the first text has to go through it.

    Args:
        model: the model.
        engine: None is `torch`.
        precision: one that the engine supports.
        context: tokens of a batch, loaded models.
    """

    def __init__(self, model: RunnableModel[T], engine: Engine | None, precision: str, context: Context) -> None:
        self._model: RunnableModel[T] = model
        self._engine, self._precision, self._context = engine, precision, context
        self._tokens: dict[InputFormat, Tokens[T]] = {}
        # A fast tokenizer raises when two threads use it at once; the library uses it too.
        self._library = threading.Lock()

    def items(self, sources: Sequence[T], form: InputFormat) -> list[Item[T]]:
        """Texts or pairs with their prompt, tokenised."""
        tokens, sources = self._tokens_of(form), [readable(source) for source in sources]
        if tokens.plain:
            return tokens.items(sources)
        with self._library:
            return tokens.items(sources)

    def budget(self) -> int:
        """Tokens of a batch, padding included: as the context sets it, else what suits the engine.

        It changes only the last bits of an output, so it is neither a setting of a method nor part of a key.
        """
        return self._context.batch_tokens or self._running.tokens

    def run_batch(self, items: Sequence[Item[T]], form: InputFormat) -> Floats:
        """(n, D) outputs of n prepared texts or pairs in one batch; zeros for a text without any token.

        Raises:
            ModelError: memory is short.
            Unfit: the engine cannot run the model.
        """
        full = np.array([item.length > 0 for item in items], dtype=bool)
        if full.all():
            return self._run(items, form)
        if not full.any():
            return np.zeros((len(items), int(self._model.load(self._weights).get_embedding_dimension())), np.float32)
        outputs = self._run([item for item in items if item.length], form)
        whole = np.zeros((len(items), outputs.shape[1]), np.float32)
        whole[full] = outputs
        return whole

    def _run(self, items: Sequence[Item[T]], form: InputFormat) -> Floats:
        tokens = self._tokens_of(form)
        with memory_advice(self._model.name):
            if tokens.plain or self._engine is not None:
                return self._running(tokens.batch(items, self._running.multiple))
            with self._library:
                return np.asarray(self._model.library([item.source for item in items], form), dtype=np.float32)

    def run(
        self, sources: Sequence[T], form: InputFormat, run_batch: Callable[[Sequence[Item[T]]], Floats] | None = None
    ) -> Floats:
        """(N, D) outputs of N ≥ 1 texts or pairs in their order, not cached; batched as those that are cached.

        Args:
            sources: texts or pairs.
            form: how they are given to the model.
            run_batch: replaces this runner's own, for example to check the outputs.
        """
        items = self.items(sources, form)
        batches = list(packed([item.length for item in items], self.budget()))
        each = run_batch or (lambda some: self.run_batch(some, form))
        outputs = np.concatenate([each([items[i] for i in batch]) for batch in batches])
        ordered = np.empty_like(outputs)
        ordered[[i for batch in batches for i in batch]] = outputs
        return ordered

    def _tokens_of(self, form: InputFormat) -> Tokens[T]:
        if form not in self._tokens:
            model = self._model.load(self._weights)
            self._tokens[form] = Tokens(model, form, lambda some: self._model.lengths(some, form))
        return self._tokens[form]

    @property
    def _weights(self) -> str:
        """Precision of the weights in `torch`, from which other engines make their own."""
        return self._precision if self._engine is None else "fp32"

    @cached_property
    def _running(self) -> Running:
        model, engine = self._model, self._engine
        if engine is None:
            return Torch().start(self._network(None), self._precision)
        label = f"load {model.name} into {engine}"
        return self._context.ledger.once(
            "model", label, f"{model.key} {engine}", lambda: engine.start(self._network(engine), self._precision)
        )

    def _network(self, engine: Engine | None) -> Network:
        model, example = self._model, None
        if engine is not None and (tokens := self._tokens_of(InputFormat())).plain:
            example = tokens.batch(tokens.items(model.example))
        return Network(model.name, model.load, model.output, model.normalise, example, self._keep)

    def _keep(self, deciding: Mapping[str, Any], build: Callable[[Path], None]) -> Path:
        decides = {"model": self._model.key, "engine": str(self._engine), "precision": self._precision, **deciding}
        describe = {"model": self._model.name, "engine": str(self._engine), "precision": self._precision}
        return build_once(self._context, "compiled", hash_of(decides), describe, build)
