"""Vector indexes: vectors → the nearest k, one kind per file. They know neither text nor ids.

To add one: a file here with one frozen dataclass that derives from `Index`, and `tests/indexes/test_<file>.py`; the contract
tests find it. An index that may miss a true neighbour says `exact = False` and gets its own line on the board.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, Protocol

import numpy as np
import numpy.typing as npt

from harness.ranking import Floats, TopK
from harness.registry import Room
from harness.values import Value


class Vectors(Protocol):
    """(N, D) float32 vectors that need not fit in memory."""

    def __len__(self) -> int: ...

    @property
    def dimension(self) -> int:
        """D."""
        ...

    def block(self, start: int, stop: int) -> Floats:
        """Rows start to stop as an array (stop − start, D)."""
        ...

    def take(self, rows: npt.NDArray[np.int64]) -> Floats:
        """Some rows as an array, in the order asked."""
        ...


class Nearest(Protocol):
    """A built index."""

    @property
    def nbytes(self) -> int:
        """Bytes it needs to answer."""
        ...

    def search(self, queries: Floats, k: int) -> TopK:
        """The k vectors of highest inner product with each of (Q, D) queries, in the documented order."""
        ...


class Index(Value, ABC):
    """How vectors are searched."""

    room: ClassVar[str] = "harness.indexes"
    exact: ClassVar[bool]
    """Whether it always finds the true nearest."""

    @abstractmethod
    def build(self, vectors: Vectors, id_order: npt.NDArray[np.int32]) -> Nearest:
        """Indexes (N, D) vectors; `id_order` (N,) breaks ties (`Corpus.id_order`)."""


def inner(vectors: Floats, query: Floats) -> Floats:
    """(M,) inner products of (M, D) vectors with one (D,) query, in double precision.

    Each is summed on its own, so that it does not depend on where a vector stands: equal vectors get equal scores, which the
    faster matrix products do not give.
    """
    products = vectors.astype(np.float64) * query
    return products.sum(axis=1).astype(np.float32)  # type: ignore[no-any-return]


INDEXES: Room[Index] = Room(__name__, Index, "index")  # type: ignore[type-abstract]
