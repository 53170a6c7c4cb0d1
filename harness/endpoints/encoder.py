"""A hosted encoder: texts → vectors, each text paid for once and cached as it was answered."""

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
from harness.endpoints.batches import DimensionCheck, EmbeddingRequests, Row, packed
from harness.endpoints.embedding_settings import EmbeddingSettings
from harness.endpoints.meter import Estimate, estimated_tokens
from harness.endpoints.providers import provider
from harness.indexes import Vectors
from harness.models.read_or_fill import read_or_fill
from harness.models.sides import SIDE_NAMES, Side
from harness.runtime.context import Context

BLANK = " "
"""Sent instead of an empty text: providers refuse that, and a tokenizer drops the space."""
READ = 4096
"""Texts read from the corpus at once."""


class HostedEncoder:
    """A model at an address. No key is read and no client opened before the first text that is not cached.

    Args:
        settings: as requested.
        context: cache and progress.
    """

    def __init__(self, settings: EmbeddingSettings, context: Context) -> None:
        settings.check()
        self._context = context
        self._provider = provider(settings.url)
        self.settings = settings.resolved(self._provider)
        self.service = settings.service()
        self.meter = self.service.meter()
        self._rate_limit = self.service.rate_limit()
        self._dimension = DimensionCheck(f"{self.service.who} {self.service.model}", settings.dimensions)

    @cached_property
    def resolved(self) -> dict[str, Any]:
        """Everything that decides a vector, with all defaults filled in, and the price; JSON-safe."""
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
        sides = f"{self.key('query')} {self.key('document')} {self.settings.similarity}"
        return hashlib.sha256(sides.encode()).hexdigest()[:16]

    def key(self, side: Side) -> str:
        """Hash of everything that decides a vector, except the text."""
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
        """(N,) hashes of texts as they are sent: another `max_characters` requests only the texts that it changes."""
        return text_keys([self.sent(text, side) for text in texts])

    def vectors(self, texts: Sequence[str], side: Side) -> Vectors:
        """(N, D) vectors of the texts; each distinct text that is not cached is requested once and cached.

        Args:
            texts: read by slices, so a corpus may be larger than memory.
            side: decides prompt and input type.

        Raises:
            SettingError: the estimate exceeds a cap, or the next request could.
            Unavailable: no key, no server, or the client's library is not installed.
            ModelError: the server refuses, or gives no usable answer. All vectors that were paid for are cached.
        """
        store = self._store(side)

        def fill(keys: pa.Array, places: Ints) -> int:
            return self._fill(texts, keys, places, side, store)

        stored = read_or_fill(texts, lambda some: self._keys(some, side), fill, store, self._context)
        self._check_dimension(stored)
        return stored if self.settings.similarity == "dot" else UnitVectors(stored)

    def encode_uncached(self, texts: Sequence[str], side: Side) -> Floats:
        """(n, D) vectors of texts. They are read from the cache all the same: no text is paid for twice."""
        vectors = self.vectors(texts, side)
        return vectors.block(0, len(vectors))

    def needed(self, texts: Sequence[str], side: Side) -> tuple[Estimate, Estimate]:
        """Estimates for the distinct texts, and for those that are not cached; sends nothing."""
        parts = [self._keys(texts[start : start + READ], side) for start in range(0, len(texts), READ)]
        keys = pa.concat_arrays(parts) if parts else text_keys([])
        places = self._store(side).read().locate(keys)
        every = _distinct(keys, np.full(len(keys), -1, np.int64))
        wanted = _distinct(keys, places)
        return self._estimate(texts, every, side), self._estimate(texts, wanted, side)

    def _store(self, side: Side) -> VectorStore:
        """The cache of vectors. Its key does not contain where texts are cut: their hashes do."""
        deciding = self._deciding(side)
        return VectorStore(self._context.cache, "embeddings", _hash(deciding), deciding)

    def _estimate(self, texts: Sequence[str], rows: Ints, side: Side) -> Estimate:
        sizes = [estimated_tokens(text) for _, text in self._read(texts, rows, side)]
        requests = sum(1 for _ in packed(iter(enumerate(sizes)), self.settings))
        return self.meter.estimate(requests, len(sizes), sum(sizes))

    def _fill(self, texts: Sequence[str], keys: pa.Array, places: Ints, side: Side, store: VectorStore) -> int:
        rows = _distinct(keys, places)
        if not len(rows):  # another process requested them meanwhile
            return 0
        self._check_dimension(store.at(store.read(), np.zeros(0, np.int64)))
        self.meter.admit(self._estimate(texts, rows, side))
        settings = self.settings
        kind = settings.query_type if side == "query" else settings.document_type
        requests = EmbeddingRequests(
            settings, self._provider, kind, store, self.meter, self._rate_limit, self._dimension
        )

        def name(row: int) -> str:
            if isinstance(texts, Texts):
                return f"document {texts.id(row)!r}"
            return f"the {side} that begins with {texts[row][:80]!r}"

        with self._context.progress(f"embed {SIDE_NAMES[side]}", int((places < 0).sum()), "texts") as advance:
            advance(int((places < 0).sum()) - len(rows))
            requests.ask(self._read(texts, rows, side), keys, name, advance)
        return len(rows)

    def _check_dimension(self, stored: StoredVectors) -> None:
        if stored.dimension:
            self._dimension.check(stored.dimension)

    def _read(self, texts: Sequence[str], rows: Ints, side: Side) -> Iterator[Row]:
        """The texts of some rows, in order, as they are sent; one block of the corpus is in memory."""
        for start in range(0, len(texts), READ):
            wanted = rows[np.searchsorted(rows, start) : np.searchsorted(rows, start + READ)].tolist()
            if wanted:
                block = texts[start : start + READ]
                yield from ((row, self.sent(block[row - start], side)) for row in wanted)


class UnitVectors:
    """(N, D) vectors of length 1, normalised in float64 when they are read; the cache has those of the server."""

    def __init__(self, stored: StoredVectors) -> None:
        self._stored = stored

    def __len__(self) -> int:
        return len(self._stored)

    @property
    def dimension(self) -> int:
        """D; 0 if there are no vectors."""
        return self._stored.dimension

    def block(self, start: int, stop: int) -> Floats:
        """(stop − start, D) vectors."""
        return _unit(self._stored.block(start, stop))

    def take(self, rows: npt.NDArray[np.int64]) -> Floats:
        """(len(rows), D) vectors, in the order of `rows`."""
        return _unit(self._stored.take(rows))


def _unit(vectors: Floats) -> Floats:
    exact = vectors.astype(np.float64)
    unit: Floats = (exact / np.linalg.norm(exact, axis=1, keepdims=True)).astype(np.float32)
    return unit


def _hash(deciding: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(deciding, sort_keys=True).encode()).hexdigest()[:32]


def _distinct(keys: pa.Array, places: Ints) -> Ints:
    """The first row of each distinct text that is not cached, in order."""
    wanted = np.flatnonzero(places < 0)
    first: dict[bytes, int] = {}
    for row, key in zip(wanted.tolist(), keys.take(pa.array(wanted)).to_pylist(), strict=True):
        first.setdefault(key, row)
    return np.array(list(first.values()), dtype=np.int64)


def open_hosted(settings: EmbeddingSettings, context: Context) -> HostedEncoder:
    """The encoder for these settings, one per run: its meter counts all requests of the run."""
    key = hashlib.sha256(repr(settings).encode()).hexdigest()
    return context.ledger.once("model", f"open {settings.model}", key, lambda: HostedEncoder(settings, context))
