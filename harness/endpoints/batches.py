"""Requests for vectors of texts: in batches that the provider accepts; answers are cached as they arrive."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pyarrow as pa

from harness.base.errors import HarnessError, ModelError
from harness.cache.vectors import VectorStore
from harness.endpoints.embedding_settings import EmbeddingSettings
from harness.endpoints.embeddings import EmbeddingClient, validated
from harness.endpoints.keys import Key
from harness.endpoints.meter import Bound, Meter, estimated_tokens, most_tokens
from harness.endpoints.pool import run_requests
from harness.endpoints.protocols import open_client
from harness.endpoints.providers import Provider
from harness.endpoints.retries import RateLimit, RequestRefused, Retrier
from harness.runtime.progress import Advance

Row = tuple[int, str]
"""A row of the texts, and the text as it is sent."""
SHOWN = 3
"""So many of the texts that are too long are named in a message; the others are counted."""
NOTHING = Bound(0)


class TooLong(ModelError):
    """Texts that are too long for the model."""


class DimensionCheck:
    """Checks that all vectors of a model have one dimension: the requested one, or the first one's. Thread-safe."""

    def __init__(self, who: str, known: int | None) -> None:
        self._who, self._known, self._lock = who, known, threading.Lock()

    def check(self, dimension: int) -> None:
        """Checks one; the first one is remembered.

        Raises:
            ModelError: it differs from before.
        """
        with self._lock:
            self._known = self._known or dimension
        if dimension != self._known:
            raise ModelError(
                f"{self._who} answered with vectors of {dimension} dimensions, but of {self._known} before. Correct "
                "model, url or dimensions."
            )

    @property
    def known(self) -> int | None:
        """The dimension, once it is known."""
        return self._known


class EmbeddingRequests:
    """Requests for the missing vectors of one side. Only here is a key read and a client opened.

    Args:
        settings: resolved (`EmbeddingSettings.resolved`).
        known: defaults of the address.
        kind: sent as `input_type`, if not None.
        store: where vectors are cached.
        meter: counts, and refuses requests that could exceed a cap.
        rate_limit: of all requests to the address.
        dimension: checks that of all vectors.

    Raises:
        Unavailable: no key, or the client's library is not installed.
        SettingError: the key is not sent to the address.
    """

    def __init__(
        self,
        settings: EmbeddingSettings,
        known: Provider,
        kind: str | None,
        store: VectorStore,
        meter: Meter,
        rate_limit: RateLimit,
        dimension: DimensionCheck,
    ) -> None:
        service = settings.service()
        key = Key(service.who, service.url, service.variable)
        self._service = service
        self._retrier = Retrier(service.who, service.url, key, service.retries, rate_limit)
        assert settings.protocol is not None
        self._client: EmbeddingClient = open_client(
            settings.protocol, service, known, settings.dimensions, key, self._retrier
        )
        self._settings, self._kind, self._store, self._meter, self._dimension = settings, kind, store, meter, dimension
        self._long: list[Row] = []
        self._lock = threading.Lock()

    def ask(self, rows: Iterator[Row], keys: pa.Array, name: Callable[[int], str], advance: Advance) -> None:
        """Requests the vectors of some rows, each once, and caches them.

        Args:
            rows: in order, of distinct texts.
            keys: (N,) hashes of all texts, by row.
            name: a row as messages name it.
            advance: called with the number of rows that were answered.

        Raises:
            SettingError: the next request could exceed a cap.
            TooLong: some texts are too long; the others of their requests are cached.
            HarnessError: the server refuses or gives no usable answer. All answers are cached in every case.
        """
        error = run_requests(
            packed(((row, estimated_tokens(row[1])) for row in rows), self._settings),
            lambda batch: self._send(batch, keys),
            bound=_most,
            meter=self._meter,
            concurrency=self._service.concurrency,
            stop=self._retrier.stop,
            done=lambda batch: advance(len(batch)),
            split=lambda batch: _halves(batch) if len(batch) > 1 else [],
        )
        if isinstance(error, TooLong):
            raise TooLong(self._message(name, str(error))) from error
        if error is not None:
            raise error

    def _send(self, batch: list[Row], keys: pa.Array) -> tuple[int, int]:
        """One request; if it is too long, its halves, down to the text that is too long by itself."""
        try:
            return self._send_one(batch, keys)
        except RequestRefused as refusal:
            if not refusal.too_long:
                raise
            if len(batch) == 1:
                with self._lock:
                    self._long.append(batch[0])
                raise TooLong(f"HTTP {refusal.code}: {self._retrier.reported(refusal.details)}") from None
        used, too_long = 0, None
        for half in _halves(batch):
            try:
                used += self._send(half, keys)[0]
            except TooLong as error:
                too_long = too_long or error
        if too_long is not None:
            self._meter.settle(NOTHING, used)  # what was answered counts, though the request as a whole fails
            raise too_long
        return used, 0

    def _send_one(self, batch: list[Row], keys: pa.Array) -> tuple[int, int]:
        texts = [text for _, text in batch]
        service, expected = self._service, sum(map(estimated_tokens, texts))
        started = time.perf_counter()

        def lost() -> HarnessError | None:
            return self._meter.count_lost(_most(batch))

        answer = self._retrier.call(lambda: self._client.embed(texts, self._kind), expected, lost)
        vectors = validated(f"{service.who} {service.model}", answer, texts, self._dimension.known)
        self._dimension.check(vectors.shape[1])
        # Written by the thread that received it: what is paid for is cached even if other requests fail.
        seconds = (time.perf_counter() - started) / service.concurrency
        self._store.write(keys.take(pa.array([row for row, _ in batch])), vectors, seconds)
        return answer.tokens or expected, 0

    def _message(self, name: Callable[[int], str], reason: str) -> str:
        service, texts = self._service, sorted(self._long)
        shown = ", ".join(f"{name(row)} ({len(text):,} characters)" for row, text in texts[:SHOWN])
        more = f" and {len(texts) - SHOWN:,} more" if len(texts) > SHOWN else ""
        return (
            f"{service.who} {service.model}: {service.url} refuses texts as too long: {shown}{more}. Its message: "
            f"{reason.rstrip('.')}. Set max_characters to cut every text at so many characters. Answers are cached: "
            "texts that are not cut are not sent again."
        )


def packed(sized: Iterator[tuple[Any, int]], settings: EmbeddingSettings) -> Iterator[list[Any]]:
    """Items in order, as many together as the limits allow; one that exceeds them by itself is alone.

    Args:
        sized: each with its tokens.
        settings: resolved.
    """
    assert settings.batch_items is not None
    assert settings.batch_tokens is not None
    batch: list[Any] = []
    tokens = 0
    for item, size in sized:
        if batch and (len(batch) >= settings.batch_items or tokens + size > settings.batch_tokens):
            yield batch
            batch, tokens = [], 0
        batch.append(item)
        tokens += size
    if batch:
        yield batch


def _halves(batch: list[Row]) -> list[list[Row]]:
    middle = len(batch) // 2
    return [batch[:middle], batch[middle:]]


def _most(batch: Sequence[Row]) -> Bound:
    return Bound(sum(most_tokens(text) for _, text in batch))
