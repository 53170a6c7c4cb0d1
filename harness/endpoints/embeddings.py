"""Hosted embeddings: one request with texts, one response with vectors, which is validated before it is used."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from harness.base.errors import ModelError, Unavailable
from harness.data.ranking import Floats
from harness.endpoints.keys import Key
from harness.endpoints.providers import Provider
from harness.endpoints.retries import Retrier
from harness.endpoints.service import Service

_AROUND_VECTORS: Final = 1 << 20
_A_VECTOR: Final = 512 << 10
"""More bytes than a vector of 16,384 dimensions has, as numbers of 24 digits or in base64."""


def most_bytes(texts: Sequence[str]) -> int:
    """The most bytes that a response with one vector per text may have; some servers repeat the texts."""
    return _AROUND_VECTORS + len(texts) * _A_VECTOR + 4 * sum(map(len, texts))


@dataclass(frozen=True)
class EmbeddingResponse:
    """A response of the server.

    Args:
        vectors: (place in the request, vector) as they came; None instead of places if the protocol has none, so that
            the order counts.
        tokens: of the request, by the server's count; 0 if it does not report one.
    """

    vectors: Sequence[tuple[int | None, Sequence[float]]]
    tokens: int


class EmbeddingClient(ABC):
    """A client of one protocol.

    Args:
        service: the model and its address.
        provider: names of the address's fields.
        dimensions: requested; None takes the model's own.
        key: for the header.
        retrier: translates errors of the server.

    Raises:
        Unavailable: the client's library is not installed.
    """

    def __init__(
        self, service: Service, provider: Provider, dimensions: int | None, key: Key, retrier: Retrier
    ) -> None:
        self._service, self._provider, self._dimensions = service, provider, dimensions
        self._retrier = retrier
        self._open(key)

    @abstractmethod
    def _open(self, key: Key) -> None:
        """Imports the library and opens its client, without its own retries."""

    @abstractmethod
    def embed(self, texts: Sequence[str], kind: str | None) -> EmbeddingResponse:
        """One request.

        Args:
            texts: none of them empty.
            kind: sent as `input_type`, if not None.

        Raises:
            Retryable: worth another try.
            HarnessError: not worth another try.
        """


def missing_library(who: str, library: str, error: ModuleNotFoundError) -> Unavailable:
    """The error if the library of a protocol is not installed; raises `error` if another module is missing."""
    if (error.name or "").partition(".")[0] != library:
        raise error
    return Unavailable(
        f"{who}: the library {library} is not installed.",
        f"python3 -m pip install 'retrieval-harness[{library}]'",
    )


def validated(who: str, answer: EmbeddingResponse, texts: Sequence[str], dimension: int | None) -> Floats:
    """(n, D) float32 vectors in the order of the texts.

    Args:
        who: names of the method and its model, for messages.
        answer: as it came.
        texts: as they were sent.
        dimension: the expected D; None takes that of the first vector.

    Raises:
        ModelError: not one vector per text, another dimension, values that are not numbers, or all zeros. It is not
            requested again: that would be charged again, and hardly change the answer.
    """
    if len(answer.vectors) != len(texts):
        raise _wrong(who, f"{len(answer.vectors)} vectors for {len(texts)} texts")
    named = [place for place, _ in answer.vectors]
    places = list(range(len(texts))) if all(place is None for place in named) else named
    if sorted(_numbers(places)) != list(range(len(texts))):
        raise _wrong(who, f"vectors of the texts {places[:10]} instead of 0 to {len(texts) - 1}, each once")
    ordered: list[Any] = [[]] * len(texts)
    for place, (_, vector) in zip(_numbers(places), answer.vectors, strict=True):
        ordered[place] = vector
    if not all(isinstance(vector, Sequence) and not isinstance(vector, str) for vector in ordered):
        raise _wrong(who, "a vector that is not a list of numbers")
    expected = dimension or len(ordered[0])
    for text, vector in zip(texts, ordered, strict=True):
        if len(vector) != expected or not expected:
            raise _wrong(who, f"a vector of {len(vector)} dimensions instead of {expected}, for {text[:80]!r}")
    try:
        with np.errstate(over="ignore"):  # too large values are refused below
            vectors = np.asarray(ordered, dtype=np.float32)
    except (TypeError, ValueError, OverflowError):
        raise _wrong(who, "a vector that is not a list of numbers") from None
    if vectors.ndim != 2:  # as from a server that sends a vector per token
        raise _wrong(who, "a vector that is a list of lists")
    bad = ~np.isfinite(vectors).all(axis=1)
    if bad.any():
        raise _wrong(who, f"values that are not numbers, first for {texts[int(np.flatnonzero(bad)[0])][:80]!r}")
    empty = ~vectors.any(axis=1)
    if empty.any():
        raise _wrong(who, f"a vector of zeros, first for {texts[int(np.flatnonzero(empty)[0])][:80]!r}")
    return vectors


def _numbers(places: Iterable[int | None]) -> list[int]:
    return [-1 if place is None else int(place) for place in places]


def _wrong(who: str, what: str) -> ModelError:
    return ModelError(
        f"{who} answered with {what}. Earlier valid answers are cached. Correct model, url or dimensions, or report it "
        "to the provider."
    )
