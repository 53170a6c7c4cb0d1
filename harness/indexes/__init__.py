"""Vector indexes: vectors → the nearest k, one kind per file. They know neither text nor ids.

To add one: a file here with one frozen dataclass that derives from `Index`, and `tests/indexes/test_<file>.py`; the
contract tests find it. An index that may miss a true neighbour says `exact = False`: its rows have the measured recall
in their records.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import ClassVar, Protocol

import numpy as np
import numpy.typing as npt

from harness.choices.room import Room
from harness.choices.value import Value
from harness.data.ranking import Floats, Ints, TopK, select, stack
from harness.runtime.context import Context

_TOGETHER = 256
"""Products that stay in a processor's cache while they are summed."""


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
        """Bytes of what it searches. Vectors that rescore what was found stay in the cache's mapped files and do not
        count.
        """
        ...

    def search(self, queries: Floats, k: int) -> TopK:
        """The k vectors of highest inner product with each of (Q, D) queries, in the documented order.

        Scores are `inner`'s, also where codes said which vectors are near.

        Raises:
            ValueError: the queries have another dimension.
        """
        ...


class Index(Value, ABC):
    """How vectors are searched."""

    room: ClassVar[str] = "harness.indexes"
    exact: ClassVar[bool]
    """Whether it always finds the true nearest."""
    repeatable: ClassVar[bool] = True
    """Whether it finds the same again when it is built anew from the same vectors, settings and seed."""

    @abstractmethod
    def build(self, vectors: Vectors, id_order: npt.NDArray[np.int32], context: Context) -> Nearest:
        """Indexes (N, D) vectors, N ≥ 1; `id_order` (N,) breaks ties (`Corpus.id_order`), the context has seed and
        cache.

        Raises:
            Unavailable: a library is absent.
            SettingError: a setting and the dimension do not fit.
        """

    def versions(self) -> dict[str, str]:
        """Library → version, of those that decide what is found.

        Raises:
            Unavailable: it is absent.
        """
        return {}


def inner(vectors: Floats, query: Floats) -> Floats:
    """(M,) inner products of (M, D) vectors with one (D,) query, in double precision.

    Each is summed on its own, so that it does not depend on where a vector stands: equal vectors get equal scores,
    which the faster matrix products do not give.
    """
    scores = np.empty(len(vectors), np.float32)
    precise = query.astype(np.float64)
    for start in range(0, len(vectors), _TOGETHER):
        products = vectors[start : start + _TOGETHER].astype(np.float64, order="C")
        products *= precise
        scores[start : start + _TOGETHER] = products.sum(axis=1)
    return scores


def rescored(
    vectors: Vectors, queries: Floats, candidates: Iterable[Ints], id_order: npt.NDArray[np.int32], k: int
) -> TopK:
    """The best k of each query's candidates, (Q, k), by the inner products of the vectors themselves.

    Args:
        vectors: (N, D).
        queries: (Q, D).
        candidates: of each query, (M,) rows of `vectors`, each once.
        id_order: (N,) breaks ties.
        k: how many to keep.
    """
    pairs = zip(queries, candidates, strict=True)
    return stack([select(rows, inner(vectors.take(rows), query), id_order, k) for query, rows in pairs], k)


def same_dimension(queries: Floats, dimension: int) -> None:
    """Raises ValueError where (Q, D) queries are not of the index's dimension."""
    if queries.shape[1] != dimension:
        raise ValueError(f"queries have {queries.shape[1]} dimensions, the index {dimension}")


def recall(found: TopK, true: TopK, k: int) -> float:
    """Share of the first k of the true ranking that is among the first k of an index, the mean over queries.

    By the documented order, score and then id: a document that only ties with one of the first k does not count, since
    its place in the ranking is another. Where it is 1, the index gives the ranking of exact search to depth k.

    Args:
        found: (Q, ≥ k) of an index.
        true: (Q, ≥ k) of an exact one, scored alike.
        k: how many.
    """
    pairs = zip(found.cut(k).rows(), true.cut(k).rows(), strict=True)
    return _mean([float(np.isin(best, rows).mean()) for (rows, _), (best, _) in pairs if len(best)])


def nearness(found: TopK, true: TopK, k: int) -> float:
    """As `recall`, with every vector counted that is as near as the true k-th, whichever of the tied it is.

    It says how well the index finds near vectors. Among many equal vectors it may be 1 where `recall` is 0.
    Source: Aumüller, Bernhardsson, Faithfull, "ANN-Benchmarks" (2020), section 2.2, recall by distance, with ε = 0.
    """
    pairs = zip(found.cut(k).rows(), true.cut(k).rows(), strict=True)
    return _mean([float((scores >= best[-1]).sum()) / len(best) for (_, scores), (_, best) in pairs if len(best)])


def share(value: float) -> float:
    """A share to four decimals, rounded down: 1 is shown only where nothing is lost."""
    return math.floor(value * 10_000 + 1e-9) / 10_000


def _mean(shares: list[float]) -> float:
    return float(np.mean(shares)) if shares else 1.0


INDEXES: Room[Index] = Room(__name__, Index, "index")  # type: ignore[type-abstract]
