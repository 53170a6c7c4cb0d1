"""Hosted embeddings: one request of texts, one answer of vectors, looked at before it is believed."""

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
from harness.endpoints.retries import Patience
from harness.endpoints.service import Service

_AROUND_VECTORS: Final = 1 << 20
_A_VECTOR: Final = 512 << 10
"""More bytes than a vector of 16,384 dimensions has, as numbers of 24 digits or in base64; some servers repeat the
text.
"""


def most_bytes(texts: Sequence[str]) -> int:
    """The most bytes that an answer with one vector for each text may have."""
    return _AROUND_VECTORS + len(texts) * _A_VECTOR + 4 * sum(map(len, texts))


@dataclass(frozen=True)
class Embedded:
    """What the server answered.

    Args:
        vectors: (place in the request, vector) as they came; a place of None says that the protocol has none and order
            is all.
        tokens: of the request, as the server counted; 0 where it does not say.
    """

    vectors: Sequence[tuple[int | None, Sequence[float]]]
    tokens: int


class EmbeddingClient(ABC):
    """A client of one protocol.

    Args:
        service: the model and its address.
        provider: what the address calls things.
        dimensions: asked for; None takes the model's own.
        key: for the header.
        patience: what an error of the server means.

    Raises:
        Unavailable: the client's library is not installed.
    """

    def __init__(
        self, service: Service, provider: Provider, dimensions: int | None, key: Key, patience: Patience
    ) -> None:
        self._service, self._provider, self._dimensions = service, provider, dimensions
        self._patience = patience
        self._open(key)

    @abstractmethod
    def _open(self, key: Key) -> None:
        """Imports the library and opens its client; the client asks once, repetition is ours."""

    @abstractmethod
    def embed(self, texts: Sequence[str], kind: str | None) -> Embedded:
        """One request.

        Args:
            texts: none of them empty.
            kind: sent as `input_type` where it is one.

        Raises:
            Again: worth another try.
            HarnessError: not worth one.
        """


def missing(who: str, library: str, error: ModuleNotFoundError) -> Unavailable:
    """What to say where the library of a protocol is not installed; raises the error where something of ours is
    broken.
    """
    if (error.name or "").partition(".")[0] != library:
        raise error
    return Unavailable(
        f"{who}: the client {library} is not installed.", f"python3 -m pip install 'retrieval-harness[{library}]'"
    )


def checked(who: str, answer: Embedded, texts: Sequence[str], dimension: int | None) -> Floats:
    """(n, D) float32 vectors in the order of the texts.

    Args:
        who: the value that asks and its model, for messages.
        answer: as it came.
        texts: as they were sent.
        dimension: the D that is due; None takes that of the first vector.

    Raises:
        ModelError: not one vector for each text, another dimension, values that are not numbers, or all zeros. Asking
            again would be paid for again and hardly answer otherwise.
    """
    if len(answer.vectors) != len(texts):
        raise _wrong(who, f"{len(answer.vectors)} vectors for {len(texts)} texts")
    named = [place for place, _ in answer.vectors]
    places = list(range(len(texts))) if all(place is None for place in named) else named
    if sorted(_numbers(places)) != list(range(len(texts))):
        raise _wrong(who, f"vectors of the texts {places[:10]} where 0 to {len(texts) - 1} are due, each once")
    ordered: list[Any] = [[]] * len(texts)
    for place, (_, vector) in zip(_numbers(places), answer.vectors, strict=True):
        ordered[place] = vector
    if not all(isinstance(vector, Sequence) and not isinstance(vector, str) for vector in ordered):
        raise _wrong(who, "a vector that is no list of numbers")
    due = dimension or len(ordered[0])
    for text, vector in zip(texts, ordered, strict=True):
        if len(vector) != due or not due:
            raise _wrong(who, f"a vector of {len(vector)} dimensions where {due} are due, for {text[:80]!r}")
    try:
        with np.errstate(over="ignore"):  # what is too great is refused below
            vectors = np.asarray(ordered, dtype=np.float32)
    except (TypeError, ValueError, OverflowError):
        raise _wrong(who, "a vector that is no list of numbers") from None
    if vectors.ndim != 2:  # as of a server that answers a vector for each token
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
        f"{who} answered with {what}. What was answered well before is kept; mend model, url or dimensions, or tell "
        f"the provider."
    )
