"""Asking for the vectors of texts: in batches that the provider takes, each answer kept as it comes, too long texts
named.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pyarrow as pa

from harness.base.errors import HarnessError, ModelError
from harness.cache.vectors import VectorStore
from harness.endpoints.embeddings import EmbeddingClient, checked
from harness.endpoints.keys import Key
from harness.endpoints.meter import Bound, Meter, most_tokens, tokens
from harness.endpoints.pool import through
from harness.endpoints.protocols import open_client
from harness.endpoints.providers import Provider
from harness.endpoints.retries import Pace, Patience, Refused
from harness.endpoints.settings import HostedSettings
from harness.runtime.progress import Advance

Row = tuple[int, str]
"""A row of the texts, and the text as it is sent."""
SHOWN = 3
"""Texts that are too long which a message names; it counts the others."""
NOTHING = Bound(0)


class TooLong(ModelError):
    """Texts that the model does not take for their length."""


class Dimension:
    """The one dimension of all vectors of a model: the first one's, or that which was asked for. Threads may ask at
    once.
    """

    def __init__(self, who: str, known: int | None) -> None:
        self._who, self.known, self._guard = who, known, threading.Lock()

    def due(self, found: int) -> None:
        """Learns the first one.

        Raises:
            ModelError: it is another than before.
        """
        with self._guard:
            self.known = self.known or found
        if found != self.known:
            raise ModelError(
                f"{self._who} answered with vectors of {found} dimensions, and of {self.known} before. Mend model, url "
                f"or "
                "dimensions."
            )


class Asking:
    """Requests for what is missing of one side. No key is read and no client opened before it is made.

    Args:
        settings: with everything said (`HostedSettings.resolved`).
        known: what is particular about the address.
        kind: sent as `input_type` where it is one.
        store: where vectors are kept.
        meter: counts, and refuses what could pass a cap.
        pace: of all requests to the address.
        dimension: of all vectors.

    Raises:
        Unavailable: no key, or the client's library is not installed.
        SettingError: the key does not go to the address.
    """

    def __init__(
        self,
        settings: HostedSettings,
        known: Provider,
        kind: str | None,
        store: VectorStore,
        meter: Meter,
        pace: Pace,
        dimension: Dimension,
    ) -> None:
        service = settings.service
        key = Key(service.who, service.url, service.key_variable)
        self._patience = Patience(service.who, service.url, key, service.retries, pace)
        assert settings.protocol is not None
        self._client: EmbeddingClient = open_client(
            settings.protocol, service, known, settings.dimensions, key, self._patience
        )
        self._settings, self._kind, self._store, self._meter, self._dimension = settings, kind, store, meter, dimension
        self._long: list[Row] = []
        self._guard = threading.Lock()

    def ask(self, rows: Iterator[Row], keys: pa.Array, name: Callable[[int], str], advance: Advance) -> None:
        """Asks for the vectors of some rows, each once, and keeps them.

        Args:
            rows: in order, of distinct texts.
            keys: (N,) hashes of all texts, by row.
            name: a row as it is named to people.
            advance: told of those that are answered.

        Raises:
            SettingError: the next request could pass a cap.
            TooLong: the model does not take some texts; those that were in their requests are kept.
            HarnessError: the server refuses or never answers well. What was answered is kept in every case.
        """
        service = self._settings.service
        fault = through(
            packed(((row, tokens(row[1])) for row in rows), self._settings),
            lambda batch: self._all(batch, keys),
            bound=_most,
            meter=self._meter,
            concurrency=service.concurrency,
            stop=self._patience.stop,
            done=lambda batch: advance(len(batch)),
            split=lambda batch: [batch[: len(batch) // 2], batch[len(batch) // 2 :]] if len(batch) > 1 else [],
        )
        if isinstance(fault, TooLong):
            raise TooLong(self._named(name, str(fault))) from fault
        if fault is not None:
            raise fault

    def _all(self, batch: list[Row], keys: pa.Array) -> tuple[int, int]:
        """One request, or two halves of it where it is too long as a whole, down to the text that is."""
        try:
            return self._one(batch, keys)
        except Refused as refusal:
            if not refusal.too_long:
                raise
            if len(batch) == 1:
                with self._guard:
                    self._long.append(batch[0])
                raise TooLong(f"HTTP {refusal.code}: {self._patience.reported(refusal.told)}") from None
        taken, fault = 0, None
        for half in (batch[: len(batch) // 2], batch[len(batch) // 2 :]):
            try:
                taken += self._all(half, keys)[0]
            except TooLong as error:
                fault = fault or error
        if fault is not None:
            self._meter.settle(NOTHING, taken)  # what was answered is counted, though the request as a whole fails
            raise fault
        return taken, 0

    def _one(self, batch: list[Row], keys: pa.Array) -> tuple[int, int]:
        texts = [text for _, text in batch]
        service, expected = self._settings.service, sum(map(tokens, texts))
        started = time.perf_counter()

        def lost() -> HarnessError | None:
            return self._meter.lose(_most(batch))

        answer = self._patience.asked(lambda: self._client.embed(texts, self._kind), expected, lost)
        vectors = checked(f"{service.who} {service.model}", answer, texts, self._dimension.known)
        self._dimension.due(vectors.shape[1])
        # Written by the thread that got it: what is paid for is kept, whatever happens to the others.
        seconds = (time.perf_counter() - started) / service.concurrency
        self._store.write(keys.take(pa.array([row for row, _ in batch])), vectors, seconds)
        return answer.tokens or expected, 0

    def _named(self, name: Callable[[int], str], told: str) -> str:
        service, found = self._settings.service, sorted(self._long)
        shown = ", ".join(f"{name(row)} ({len(text):,} characters)" for row, text in found[:SHOWN])
        more = f" and {len(found) - SHOWN:,} more" if len(found) > SHOWN else ""
        return (
            f"{service.who} {service.model}: {service.url} refuses as too long: {shown}{more}. It says "
            f"{told.rstrip('.')}. Set "
            "max_characters to send no more than so many characters of each text. What was answered is kept, and texts "
            "that are "
            "shorter are not asked for again."
        )


def packed(sized: Iterator[tuple[Any, int]], settings: HostedSettings) -> Iterator[list[Any]]:
    """Items in order, as many together as the limits allow; one that is over them by its own size goes alone.

    Args:
        sized: each with its tokens.
        settings: with everything said.
    """
    assert settings.batch_items is not None
    assert settings.batch_tokens is not None
    batch: list[Any] = []
    taken = 0
    for item, size in sized:
        if batch and (len(batch) >= settings.batch_items or taken + size > settings.batch_tokens):
            yield batch
            batch, taken = [], 0
        batch.append(item)
        taken += size
    if batch:
        yield batch


def _most(batch: Sequence[Row]) -> Bound:
    return Bound(sum(most_tokens(text) for _, text in batch))
