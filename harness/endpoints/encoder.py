"""A hosted encoder: texts → vectors, each text paid for once and kept as it was answered."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from harness.cache.vectors import StoredVectors, VectorStore, text_keys
from harness.context import Context
from harness.endpoints.address import Key
from harness.endpoints.embeddings import EmbeddingClient, checked, open_client
from harness.endpoints.meter import Bound, Estimate, most_tokens, tokens
from harness.endpoints.patience import Patience
from harness.endpoints.pool import through
from harness.endpoints.providers import Provider, provider
from harness.endpoints.service import Service
from harness.errors import ModelError, SettingError
from harness.indexes import Vectors
from harness.modeling.encoder import SIDE_NAMES, Side
from harness.modeling.keep import completed
from harness.ranking import Floats, Ints

BLANK = " "
"""Sent in place of a text without a character: providers refuse the empty one, and a tokenizer drops the space."""
READ = 4096
"""Texts read from the corpus at once."""


@dataclass(frozen=True)
class HostedSettings:
    """What decides a vector, and how many texts go together; None takes the provider's own (`harness.endpoints.providers`).

    Args:
        service: the model and its address.
        protocol: `openai` or `cohere`.
        dimensions: asked of the server.
        query_type: sent as `input_type` with queries; `""` sends none.
        document_type: the same with documents.
        query_prompt: put before each query.
        document_prompt: put before each document.
        max_characters: kept of a text, prompt left out.
        similarity: `cosine` (vectors are normalised) or `dot` (taken as they come).
        batch_items: texts in one request, at most.
        batch_tokens: tokens in one request, at most, by our estimate; a text with more goes alone.
    """

    service: Service
    protocol: str | None = None
    dimensions: int | None = None
    query_type: str | None = None
    document_type: str | None = None
    query_prompt: str = ""
    document_prompt: str = ""
    max_characters: int | None = None
    similarity: str = "cosine"
    batch_items: int | None = None
    batch_tokens: int | None = None

    def check(self) -> None:
        """Raises SettingError where a setting is out of range."""
        who = self.service.who
        self.service.check()
        if self.protocol not in (None, "openai", "cohere"):
            raise SettingError(f"{who}: protocol must be one of openai, cohere, not {self.protocol!r}")
        if self.similarity not in ("cosine", "dot"):
            raise SettingError(f"{who}: similarity must be one of cosine, dot, not {self.similarity!r}")
        for name in ("dimensions", "max_characters", "batch_items", "batch_tokens"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise SettingError(f"{who}: {name} must be 1 or more, not {value}")

    def resolved(self, known: Provider) -> HostedSettings:
        """The same with everything said."""
        protocol = self.protocol or known.protocol
        types = (known.query_type, known.document_type)
        if protocol == "cohere" and types == (None, None):
            types = ("search_query", "search_document")
        return replace(
            self,
            protocol=protocol,
            query_type=(types[0] if self.query_type is None else self.query_type) or None,
            document_type=(types[1] if self.document_type is None else self.document_type) or None,
            batch_items=self.batch_items or known.items,
            batch_tokens=self.batch_tokens or known.tokens,
        )


class HostedEncoder:
    """A model at an address. No key is read and no client opened before the first text that is not kept.

    Args:
        settings: as asked.
        context: cache and progress.
    """

    def __init__(self, settings: HostedSettings, context: Context) -> None:
        settings.check()
        self._context = context
        self._provider = provider(settings.service.url)
        self.settings = settings.resolved(self._provider)
        self.service = settings.service
        self.meter = self.service.meter()
        self._pace = self.service.pace()
        self._who = f"{self.service.who} {self.service.model}"
        self._dimension = settings.dimensions
        self._guard = threading.Lock()

    @cached_property
    def resolved(self) -> dict[str, Any]:
        """Everything that decides a vector, as it turned out, and the price; JSON-safe."""
        settings, price = self.settings, self.meter.price
        return {
            "model": self.service.model,
            "url": self.service.url,
            "protocol": settings.protocol,
            "dimensions": settings.dimensions,
            "query_type": settings.query_type,
            "document_type": settings.document_type,
            "query_prompt": settings.query_prompt,
            "document_prompt": settings.document_prompt,
            "max_characters": settings.max_characters,
            "similarity": settings.similarity,
            "price_per_million_tokens": None if price is None else price.tokens_in,
            "price_source": None if price is None else price.source,
        }

    @cached_property
    def fingerprint(self) -> str:
        """Hash of both sides and of the similarity."""
        words = f"{self.key('query')} {self.key('document')} {self.settings.similarity}"
        return hashlib.sha256(words.encode()).hexdigest()[:16]

    def key(self, side: Side) -> str:
        """Hash of everything that decides an answer, except the text."""
        return hashlib.sha256(json.dumps(self._deciding(side), sort_keys=True).encode()).hexdigest()[:32]

    def _deciding(self, side: Side) -> dict[str, Any]:
        settings = self.settings
        return {
            "endpoint": settings.protocol,
            "url": self.service.url.rstrip("/"),
            "model": self.service.model,
            "dimensions": settings.dimensions,
            "input_type": settings.query_type if side == "query" else settings.document_type,
            "prompt": settings.query_prompt if side == "query" else settings.document_prompt,
            "max_characters": settings.max_characters,
        }

    def sent(self, text: str, side: Side) -> str:
        """A text as it is sent: cut, with its prompt before it."""
        prompt = self.settings.query_prompt if side == "query" else self.settings.document_prompt
        return prompt + text[: self.settings.max_characters] or BLANK

    def _keys(self, texts: Sequence[str], side: Side) -> pa.Array:
        """(N,) hashes of texts as they are sent: an answer is that to what was sent, whatever code wrote it."""
        return text_keys([self.sent(text, side) for text in texts])

    def vectors(self, texts: Sequence[str], side: Side) -> Vectors:
        """(N, D) vectors of the texts; those not kept yet are asked for, each distinct one once, and kept.

        Args:
            texts: read by slices, so a corpus larger than memory will do.
            side: which prompt and input type.

        Raises:
            SettingError: the estimate is over a cap, or the next request could pass it.
            Unavailable: no key, no server, or the client's library is not installed.
            ModelError: the server refuses, never answers well, or answers what is no vector. What was paid for is kept.
        """
        store = self._store(side)

        def fill(keys: pa.Array, places: Ints) -> int:
            return self._fill(texts, keys, places, side, store)

        held = completed(texts, lambda some: self._keys(some, side), fill, store, self._context)
        self._agree(held)
        return held if self.settings.similarity == "dot" else Unit(held)

    def afresh(self, texts: Sequence[str], side: Side) -> Floats:
        """(n, D) vectors of texts; nothing is asked for twice, so they are taken from what is kept where they are there."""
        vectors = self.vectors(texts, side)
        return vectors.block(0, len(vectors))

    def needed(self, texts: Sequence[str], side: Side) -> tuple[Estimate, Estimate]:
        """What the distinct texts take, and what those of them take that are not kept; asks no server."""
        parts = [self._keys(texts[start : start + READ], side) for start in range(0, len(texts), READ)]
        keys = pa.concat_arrays(parts) if parts else text_keys([])
        places = self._store(side).read().locate(keys)
        every = _distinct(keys, np.full(len(keys), -1, np.int64))
        wanted = _distinct(keys, places)
        return self._estimate(texts, every, side), self._estimate(texts, wanted, side)

    def _store(self, side: Side) -> VectorStore:
        return VectorStore(self._context.cache, "embeddings", self.key(side), self._deciding(side))

    def _estimate(self, texts: Sequence[str], rows: Ints, side: Side) -> Estimate:
        sizes = [tokens(text) for _, text in self._read(texts, rows, side)]
        requests = sum(1 for _ in self._packed(iter(enumerate(sizes))))
        return self.meter.estimate(requests, len(sizes), sum(sizes))

    def _fill(self, texts: Sequence[str], keys: pa.Array, places: Ints, side: Side, store: VectorStore) -> int:
        rows = _distinct(keys, places)
        if not len(rows):  # another process asked meanwhile
            return 0
        self._agree(store.at(store.read(), np.zeros(0, np.int64)))
        self.meter.admit(self._estimate(texts, rows, side))
        service, settings = self.service, self.settings
        key = Key(service.who, service.url, service.key_variable)
        patience = Patience(service.who, service.url, key, service.retries, self._pace)
        assert settings.protocol is not None
        client = open_client(settings.protocol, service, self._provider, settings.dimensions, key, patience)
        kind = settings.query_type if side == "query" else settings.document_type

        def ask(batch: list[tuple[int, str]]) -> tuple[int, int]:
            return self._ask(batch, keys, client, patience, kind, store)

        with self._context.progress(f"embed {SIDE_NAMES[side]}", int((places < 0).sum()), "texts") as advance:
            advance(int((places < 0).sum()) - len(rows))
            fault = through(
                self._batches(texts, rows, side),
                ask,
                bound=_most,
                meter=self.meter,
                concurrency=service.concurrency,
                stop=patience.stop,
                done=lambda batch: advance(len(batch)),
                split=lambda batch: [batch[: len(batch) // 2], batch[len(batch) // 2 :]] if len(batch) > 1 else [],
            )
        if fault is not None:
            raise fault
        return len(rows)

    def _ask(
        self,
        batch: list[tuple[int, str]],
        keys: pa.Array,
        client: EmbeddingClient,
        patience: Patience,
        kind: str | None,
        store: VectorStore,
    ) -> tuple[int, int]:
        rows, texts = [row for row, _ in batch], [text for _, text in batch]
        expected = sum(map(tokens, texts))
        started = time.perf_counter()
        answer = patience.asked(lambda: client.embed(texts, kind), expected, lambda: self.meter.lose(_most(batch)))
        vectors = checked(self._who, answer, texts, self._dimension)
        self._due(vectors.shape[1])
        # Written by the thread that got it: what is paid for is kept, whatever happens to the others.
        store.write(keys.take(pa.array(rows)), vectors, (time.perf_counter() - started) / self.service.concurrency)
        return answer.tokens or expected, 0

    def _due(self, dimension: int) -> None:
        """All vectors of a model have one dimension: the first one's, or that which was asked for."""
        with self._guard:
            self._dimension = self._dimension or dimension
        if dimension != self._dimension:
            raise ModelError(
                f"{self._who} answered with vectors of {dimension} dimensions, and of {self._dimension} before. Mend model, url "
                "or dimensions."
            )

    def _agree(self, held: StoredVectors) -> None:
        if held.dimension:
            self._due(held.dimension)

    def _read(self, texts: Sequence[str], rows: Ints, side: Side) -> Iterator[tuple[int, str]]:
        """The texts of some rows, in order, as they are sent; holds one block of the corpus."""
        for start in range(0, len(texts), READ):
            here = rows[np.searchsorted(rows, start) : np.searchsorted(rows, start + READ)].tolist()
            if here:
                block = texts[start : start + READ]
                yield from ((row, self.sent(block[row - start], side)) for row in here)

    def _batches(self, texts: Sequence[str], rows: Ints, side: Side) -> Iterator[list[tuple[int, str]]]:
        return self._packed((item, tokens(item[1])) for item in self._read(texts, rows, side))

    def _packed(self, sized: Iterator[tuple[Any, int]]) -> Iterator[list[Any]]:
        """Items in order, as many together as the limits allow; one that is over them alone goes alone."""
        assert self.settings.batch_items is not None
        assert self.settings.batch_tokens is not None
        batch: list[Any] = []
        taken = 0
        for item, size in sized:
            if batch and (len(batch) >= self.settings.batch_items or taken + size > self.settings.batch_tokens):
                yield batch
                batch, taken = [], 0
            batch.append(item)
            taken += size
        if batch:
            yield batch


class Unit:
    """(N, D) vectors of length 1, normalised in float64 when they are read; what was answered stays as it is."""

    def __init__(self, held: StoredVectors) -> None:
        self._held = held

    def __len__(self) -> int:
        return len(self._held)

    @property
    def dimension(self) -> int:
        """D; 0 where there is no vector."""
        return self._held.dimension

    def block(self, start: int, stop: int) -> Floats:
        """(stop − start, D) vectors."""
        return _unit(self._held.block(start, stop))

    def take(self, rows: npt.NDArray[np.int64]) -> Floats:
        """(len(rows), D) vectors, in the order asked."""
        return _unit(self._held.take(rows))


def _unit(vectors: Floats) -> Floats:
    exact = vectors.astype(np.float64)
    unit: Floats = (exact / np.linalg.norm(exact, axis=1, keepdims=True)).astype(np.float32)
    return unit


def _most(batch: Sequence[tuple[int, str]]) -> Bound:
    return Bound(sum(most_tokens(text) for _, text in batch))


def _distinct(keys: pa.Array, places: Ints) -> Ints:
    """The first row of each distinct text that has no place, in order."""
    wanted = np.flatnonzero(places < 0)
    first: dict[bytes, int] = {}
    for row, key in zip(wanted.tolist(), keys.take(pa.array(wanted)).to_pylist(), strict=True):
        first.setdefault(key, row)
    return np.array(list(first.values()), dtype=np.int64)


def open_hosted(settings: HostedSettings, context: Context) -> HostedEncoder:
    """The encoder for these settings, one per run: its meter counts all that the run asks."""
    key = hashlib.sha256(repr(settings).encode()).hexdigest()
    return context.once("model", f"open {settings.service.model}", key, lambda: HostedEncoder(settings, context))
