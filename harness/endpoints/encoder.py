"""A hosted encoder: texts → vectors, each text paid for once and kept as it was answered."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from harness.cache.shards import text_keys
from harness.cache.vectors import StoredVectors, VectorStore
from harness.data.corpus import Texts
from harness.data.ranking import Floats, Ints
from harness.endpoints.batches import Asking, Dimension, Row, packed
from harness.endpoints.meter import Estimate, tokens
from harness.endpoints.providers import provider
from harness.endpoints.settings import HostedSettings
from harness.indexes import Vectors
from harness.models.encode_once import completed
from harness.models.encoder import SIDE_NAMES, Side
from harness.runtime.context import Context

BLANK = " "
"""Sent in place of a text without a character: providers refuse the empty one, and a tokenizer drops the space."""
READ = 4096
"""Texts read from the corpus at once."""


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
        self._dimension = Dimension(f"{self.service.who} {self.service.model}", settings.dimensions)

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
        return _hash(self._deciding(side, self.settings.max_characters))

    def _deciding(self, side: Side, max_characters: int | None = None) -> dict[str, Any]:
        settings = self.settings
        return {
            "endpoint": settings.protocol,
            "url": self.service.url.rstrip("/"),
            "model": self.service.model,
            "dimensions": settings.dimensions,
            "input_type": settings.query_type if side == "query" else settings.document_type,
            "prompt": settings.query_prompt if side == "query" else settings.document_prompt,
            "max_characters": max_characters,
        }

    def sent(self, text: str, side: Side) -> str:
        """A text as it is sent: cut, with its prompt before it."""
        prompt = self.settings.query_prompt if side == "query" else self.settings.document_prompt
        return prompt + self._cut(text) or BLANK

    def _cut(self, text: str) -> str:
        return text[: self.settings.max_characters]

    def _keys(self, texts: Sequence[str], side: Side) -> pa.Array:
        """(N,) hashes of texts as they are sent: with another `max_characters`, only texts that it changes are asked
        for.
        """
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
        """(n, D) vectors of texts; nothing is asked for twice, so they are taken from what is kept where they are
        there.
        """
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
        """Where vectors are kept: by all that decides one, but not by where texts are cut, which their hashes say."""
        deciding = self._deciding(side)
        return VectorStore(self._context.cache, "embeddings", _hash(deciding), deciding)

    def _estimate(self, texts: Sequence[str], rows: Ints, side: Side) -> Estimate:
        sizes = [tokens(text) for _, text in self._read(texts, rows, side)]
        requests = sum(1 for _ in packed(iter(enumerate(sizes)), self.settings))
        return self.meter.estimate(requests, len(sizes), sum(sizes))

    def _fill(self, texts: Sequence[str], keys: pa.Array, places: Ints, side: Side, store: VectorStore) -> int:
        rows = _distinct(keys, places)
        if not len(rows):  # another process asked meanwhile
            return 0
        self._agree(store.at(store.read(), np.zeros(0, np.int64)))
        self.meter.admit(self._estimate(texts, rows, side))
        settings = self.settings
        kind = settings.query_type if side == "query" else settings.document_type
        asking = Asking(settings, self._provider, kind, store, self.meter, self._pace, self._dimension)

        def name(row: int) -> str:
            if isinstance(texts, Texts):
                return f"document {texts.id(row)!r}"
            return f"the {side} that begins {texts[row][:80]!r}"

        with self._context.progress(f"embed {SIDE_NAMES[side]}", int((places < 0).sum()), "texts") as advance:
            advance(int((places < 0).sum()) - len(rows))
            asking.ask(self._read(texts, rows, side), keys, name, advance)
        return len(rows)

    def _agree(self, held: StoredVectors) -> None:
        if held.dimension:
            self._dimension.due(held.dimension)

    def _read(self, texts: Sequence[str], rows: Ints, side: Side) -> Iterator[Row]:
        """The texts of some rows, in order, as they are sent; holds one block of the corpus."""
        for start in range(0, len(texts), READ):
            here = rows[np.searchsorted(rows, start) : np.searchsorted(rows, start + READ)].tolist()
            if here:
                block = texts[start : start + READ]
                yield from ((row, self.sent(block[row - start], side)) for row in here)


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


def _hash(deciding: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(deciding, sort_keys=True).encode()).hexdigest()[:32]


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
    return context.ledger.once("model", f"open {settings.service.model}", key, lambda: HostedEncoder(settings, context))
