"""A model in an engine: prepared texts, or pairs, in batches → answers. What encoders and cross-encoders share."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic, Literal, TypeVar

import numpy as np

from harness.data.ranking import Floats
from harness.engines import Engine, Network, Running
from harness.engines.torch import Torch
from harness.models.encode_once import memory_advice, packed
from harness.models.texts import readable
from harness.models.tokens import Item, Reading, Tokens
from harness.runtime.context import Context

T = TypeVar("T", str, tuple[str, str])


@dataclass(frozen=True)
class Part(Generic[T]):
    """A model as it is put into an engine.

    Args:
        name: for messages.
        key: hash of everything that decides an answer.
        load: precision of the weights → the model in `torch`, loaded once.
        output: what of its features is the answer.
        normalise: whether an answer gets the length 1.
        example: two texts or pairs of different lengths.
        lengths: texts or pairs and how they are read → tokens of each, where the model does not read plain token
            numbers.
        library: the same → their answers from the library, which then has to batch and tokenise them itself.
    """

    name: str
    key: str
    load: Callable[[str], Any]
    output: Literal["sentence_embedding", "scores"]
    normalise: bool
    example: Sequence[T]
    lengths: Callable[[Sequence[T], Reading], list[int]]
    library: Callable[[Sequence[T], Reading], Floats]


class Engined(Generic[T]):
    """A model in an engine. It is loaded when the first text has to go through it.

    Args:
        part: the model.
        engine: None is `torch`.
        precision: one that the engine knows.
        context: tokens of a batch, loaded models.
    """

    def __init__(self, part: Part[T], engine: Engine | None, precision: str, context: Context) -> None:
        self._part: Part[T] = part
        self._engine, self._precision, self._context = engine, precision, context
        self._tokens: dict[Reading, Tokens[T]] = {}
        self._library = threading.Lock()
        """Held by what uses the tokenizer by way of the library: a fast tokenizer that two threads use at once raises.
        """

    def items(self, sources: Sequence[T], reading: Reading) -> list[Item[T]]:
        """Texts or pairs with their prompt, tokenised."""
        tokens, sources = self._fed(reading), [readable(source) for source in sources]
        if tokens.plain:
            return tokens.items(sources)
        with self._library:
            return tokens.items(sources)

    def budget(self) -> int:
        """Tokens of a batch, padding included: as the context says, else what suits the engine.

        It moves the last bits of an answer and nothing else, so it is no setting of a method and no part of a key.
        """
        return self._context.batch_tokens or self._running.tokens

    def answer(self, items: Sequence[Item[T]], reading: Reading) -> Floats:
        """(n, D) answers to n prepared texts or pairs in one batch; 0 throughout to a text without any token.

        Raises:
            ModelError: memory is short.
            Unfit: the engine cannot take the model.
        """
        full = np.array([item.length > 0 for item in items], dtype=bool)
        if full.all():
            return self._answered(items, reading)
        if not full.any():
            return np.zeros((len(items), int(self._part.load(self._weights).get_embedding_dimension())), np.float32)
        found = self._answered([item for item in items if item.length], reading)
        whole = np.zeros((len(items), found.shape[1]), np.float32)
        whole[full] = found
        return whole

    def _answered(self, items: Sequence[Item[T]], reading: Reading) -> Floats:
        tokens = self._fed(reading)
        with memory_advice(self._part.name):
            if tokens.plain or self._engine is not None:
                return self._running(tokens.batch(items))
            with self._library:
                return np.asarray(self._part.library([item.source for item in items], reading), dtype=np.float32)

    def answers(
        self, sources: Sequence[T], reading: Reading, answer: Callable[[Sequence[Item[T]]], Floats] | None = None
    ) -> Floats:
        """(N, D) answers to N ≥ 1 texts or pairs, batched as those that are kept and not kept; in their order.

        Args:
            sources: texts or pairs.
            reading: how they are read.
            answer: in place of this one's own, as with a check of what it answers.
        """
        items = self.items(sources, reading)
        batches = list(packed([item.length for item in items], self.budget()))
        each = answer or (lambda some: self.answer(some, reading))
        found = np.concatenate([each([items[i] for i in batch]) for batch in batches])
        ordered = np.empty_like(found)
        ordered[[i for batch in batches for i in batch]] = found
        return ordered

    def _fed(self, reading: Reading) -> Tokens[T]:
        if reading not in self._tokens:
            model = self._part.load(self._weights)
            self._tokens[reading] = Tokens(model, reading, lambda some: self._part.lengths(some, reading))
        return self._tokens[reading]

    @property
    def _weights(self) -> str:
        """Precision of the weights in `torch`, from which other engines make their own."""
        return self._precision if self._engine is None else "fp32"

    @cached_property
    def _running(self) -> Running:
        part, engine = self._part, self._engine
        if engine is None:
            return Torch().start(self._network(None), self._precision)
        label = f"load {part.name} into {engine}"
        return self._context.ledger.once(
            "model", label, f"{part.key} {engine}", lambda: engine.start(self._network(engine), self._precision)
        )

    def _network(self, engine: Engine | None) -> Network:
        part, example = self._part, None
        if engine is not None and (tokens := self._fed(Reading())).plain:
            example = tokens.batch(tokens.items(part.example))
        return Network(part.name, part.load, part.output, part.normalise, example)
