"""Vector indexes: vectors → the nearest k, one kind per file. An index sees no texts and no ids.

To add one: a file here with one frozen dataclass that derives from `Index`, and `tests/indexes/test_<file>.py`; the
contract tests find it. An index that may miss a true neighbour has `exact = False`; the records of its rows contain the
measured recall.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import ClassVar, Protocol

import numpy as np
import numpy.typing as npt

from harness.base.threads import side_by_side
from harness.choices.room import Room
from harness.choices.value import Value
from harness.data.ranking import Floats, Ints, TopK, select, stack
from harness.runtime.context import Context

_INNER_BLOCK = 256
"""Vectors multiplied at a time, so that the products stay in the processor's cache while they are summed."""


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
        """Some rows as an array, in the order of `rows`."""
        ...


class Nearest(Protocol):
    """A built index."""

    @property
    def nbytes(self) -> int:
        """Bytes of the searched structure, without the vectors that rescore candidates from mapped files."""
        ...

    def search(self, queries: Floats, k: int) -> TopK:
        """The k vectors of highest inner product with each of (Q, D) queries, in the documented order.

        Scores are those of `inner`, also if candidates were chosen by codes.

        Raises:
            ValueError: the queries have another dimension.
        """
        ...


class Index(Value, ABC):
    """How vectors are searched."""

    room: ClassVar[str] = "harness.indexes"
    exact: ClassVar[bool]
    """Whether it always finds the true nearest vectors."""
    repeatable: ClassVar[bool] = True
    """Whether an index built again from the same vectors, settings and seed finds the same."""

    @abstractmethod
    def build(self, vectors: Vectors, id_order: npt.NDArray[np.int32], context: Context) -> Nearest:
        """Indexes (N, D) vectors, N ≥ 1; `id_order` (N,) breaks ties (`Corpus.id_order`), the context has seed and
        cache.

        Raises:
            Unavailable: a library is absent.
            SettingError: a setting does not fit the dimension.
        """

    def versions(self) -> dict[str, str]:
        """Library → version, of those that decide the results.

        Raises:
            Unavailable: a library is absent.
        """
        return {}


def inner(vectors: Floats, query: Floats) -> Floats:
    """(M,) inner products of (M, D) vectors with one (D,) query, in double precision.

    Each is summed separately, so that it does not depend on the vector's position: equal vectors get equal scores,
    which the faster matrix products do not ensure.
    """
    scores = np.empty(len(vectors), np.float32)
    precise = query.astype(np.float64)
    for start in range(0, len(vectors), _INNER_BLOCK):
        block = vectors[start : start + _INNER_BLOCK].astype(np.float64, order="C")
        scores[start : start + _INNER_BLOCK] = np.vecdot(block, precise)
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
        k: depth of the rankings.
    """

    def best(pair: tuple[Floats, Ints]) -> tuple[Ints, Floats]:
        query, rows = pair
        return select(rows, inner(vectors.take(rows), query), id_order, k)

    rankings = side_by_side(best, list(zip(queries, candidates, strict=True)))
    return stack(rankings, k)


def same_dimension(queries: Floats, dimension: int) -> None:
    """Raises ValueError if (Q, D) queries are not of the index's dimension."""
    if queries.shape[1] != dimension:
        raise ValueError(f"queries have {queries.shape[1]} dimensions, the index {dimension}")


def recall(found: TopK, true: TopK, k: int) -> float:
    """Share of the first k of the true ranking that is among the first k of an index, the mean over queries.

    By the documented order, score and then id: a document that is only tied with one of the first k does not count. If
    the recall is 1, the index gives the ranking of exact search to depth k.

    Args:
        found: (Q, ≥ k) of an index.
        true: (Q, ≥ k) of an exact one, scored alike.
        k: depth.
    """
    shares = []
    for (rows, _), (best, _) in zip(found.cut(k).rows(), true.cut(k).rows(), strict=True):
        if len(best):
            shares.append(float(np.isin(best, rows).mean()))
    return _mean(shares)


def nearness(found: TopK, true: TopK, k: int) -> float:
    """As `recall`, but every vector as near as the true k-th counts, so that ties do not matter.

    It measures how well the index finds near vectors. Among many equal vectors it may be 1 while `recall` is 0.
    Source: Aumüller, Bernhardsson, Faithfull, "ANN-Benchmarks" (2020), section 2.2, recall by distance, with ε = 0.
    """
    shares = []
    for (_, scores), (_, best) in zip(found.cut(k).rows(), true.cut(k).rows(), strict=True):
        if len(best):
            shares.append(float((scores >= best[-1]).sum()) / len(best))
    return _mean(shares)


def share(value: float) -> float:
    """A share to four decimals, rounded down: 1 only if nothing is lost."""
    return math.floor(value * 10_000 + 1e-9) / 10_000


def _mean(shares: list[float]) -> float:
    return float(np.mean(shares)) if shares else 1.0


INDEXES: Room[Index] = Room(__name__, Index, "index")  # type: ignore[type-abstract]
