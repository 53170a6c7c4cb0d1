"""Exact search by blocked matrix products: every vector is compared, in memory that does not grow with the corpus."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from harness.base.errors import Unavailable
from harness.base.memory import Memory, Reservation
from harness.base.optional import library
from harness.base.threads import side_by_side
from harness.choices.bounds import Count
from harness.data.ranking import Floats, Ints, TopK, select, stack
from harness.indexes import Index, Vectors, inner, same_dimension
from harness.indexes._near import BYTES_OF_A_PLACE, Nearby, width
from harness.indexes._verified import MARGIN, greatest_length, slack_of, verified
from harness.runtime.context import Context

FEWEST = 256
"""Vectors of a block, however small the budget."""
WORTH_FAISS = 20_000_000
"""Scores from which on FAISS, where it is installed, saves more than its import takes."""
PRODUCTS_OF_FAISS = 128_000
"""Queries times dimensions from which on FAISS (1.15) multiplies matrices. Below it compares pair by pair, which takes
up to 15 times as long as a product.
"""


@dataclass(frozen=True)
class Exact(Index):
    """Compares every query with every vector, block by block.

    A matrix product rounds differently from one place in a block to another, so that equal vectors get unequal scores.
    It only selects the vectors that can be among the k best, by a bound on its error; `harness.indexes.inner` scores
    those. Where FAISS is installed and the vectors are in memory, its float32 search selects the candidates of hundreds
    of queries; the rankings are the same to the bit.

    Args:
        block: vectors compared at once, fewer if the memory budget of the run is too small for them.
    """

    exact: ClassVar[bool] = True
    block: Count = 8192

    def build(self, vectors: Vectors, id_order: npt.NDArray[np.int32], context: Context | None = None) -> _Flat:
        """See `Index.build`; only the memory budget of the context is used.

        Vectors that fit into it (`Memory.hold`) stay in memory; others are read block by block at each search.
        """
        memory = context.memory if context else Memory()
        return _Flat(in_memory(vectors, memory), id_order, self.block, memory)


def in_memory(vectors: Vectors, memory: Memory) -> Vectors:
    """The vectors, loaded if they fit into the memory budget, else as they are."""
    reservation = memory.reserve(len(vectors) * vectors.dimension * 4)
    return vectors if reservation is None else _InMemory(vectors.block(0, len(vectors)), reservation)


@runtime_checkable
class InPieces(Protocol):
    """Vectors that are read faster in their stored order."""

    def pieces(self, size: int) -> Iterator[tuple[Ints, Floats]]:
        """All vectors, each once, at most `size` at a time: their rows, (m, D) vectors."""
        ...


class _InMemory:
    def __init__(self, array: Floats, reservation: Reservation) -> None:
        self.array = array
        self._reservation = reservation  # it ends with this object

    def __len__(self) -> int:
        return len(self.array)

    @property
    def dimension(self) -> int:
        return int(self.array.shape[1])

    def block(self, start: int, stop: int) -> Floats:
        return self.array[start:stop]

    def take(self, rows: Ints) -> Floats:
        return np.take(self.array, rows, axis=0)


class _Flat:
    def __init__(self, vectors: Vectors, id_order: npt.NDArray[np.int32], block: int, memory: Memory) -> None:
        self._vectors = vectors
        self._id_order = id_order
        self._memory = memory
        bytes_of_a_vector = 4 * max(1, vectors.dimension)
        self._block = max(1, min(block, max(FEWEST, memory.block // bytes_of_a_vector)))
        self._longest: float | None = None

    @property
    def nbytes(self) -> int:
        return len(self._vectors) * self._vectors.dimension * 4

    def search(self, queries: Floats, k: int) -> TopK:
        """See `Nearest.search`.

        Raises:
            SettingError: the memory budget of the run is too small for the k best of one query; says what is enough.
        """
        same_dimension(queries, self._vectors.dimension)
        depth, k = k, max(1, min(k, len(self._vectors)))
        # A score takes 4 bytes, its mark 1, its copy for the partition 4.
        group_size = max(1, self._memory.block // (9 * self._block))
        # Candidates of a block are sorted by query, which takes 48 bytes each.
        bytes_of_a_query = BYTES_OF_A_PLACE * width(k) + 48 * k
        least = bytes_of_a_query + self._block * (9 + 4 * self._vectors.dimension)
        self._memory.require(least, f"exact search of {len(self._vectors):,} vectors, {k:,} deep,")
        worth = len(queries) * len(self._vectors) >= WORTH_FAISS and queries.size >= PRODUCTS_OF_FAISS
        if isinstance(self._vectors, _InMemory) and worth:
            with contextlib.suppress(Unavailable):
                return self._by_faiss(library("faiss", "faiss"), self._vectors, queries, depth)
        queries_of_a_pass = max(1, self._memory.working // bytes_of_a_query)
        rankings: list[tuple[Ints, Floats]] = []
        for first in range(0, len(queries), queries_of_a_pass):
            rankings += self._pass(queries[first : first + queries_of_a_pass], k, group_size)
        return stack(rankings, depth)

    def _by_faiss(self, faiss: Any, vectors: _InMemory, queries: Floats, k: int) -> TopK:
        """The k best of each query by the library's exact search, which keeps the candidates in heaps."""
        if self._longest is None:
            self._longest = greatest_length(vectors)

        def nearest(asked: Floats, width: int) -> tuple[Ints, Floats]:
            width = min(width, len(vectors))
            scores, rows = faiss.knn(asked, vectors.array, width, metric=faiss.METRIC_INNER_PRODUCT)
            return rows, scores

        queries = np.ascontiguousarray(queries, np.float32)
        together = max(1, self._memory.working // (24 * (k + MARGIN)))  # 12 bytes a candidate; candidates and results
        rankings: list[tuple[Ints, Floats]] = []
        for first in range(0, len(queries), together):
            part = queries[first : first + together]
            rankings += verified(nearest, vectors, part, self._id_order, k, self._longest).rows()
        return stack(rankings, k)

    def _pass(self, queries: Floats, k: int, group_size: int) -> list[tuple[Ints, Floats]]:
        """The k best of each query; the vectors are read once, and each block is compared with a group at a time."""
        groups = [slice(first, first + group_size) for first in range(0, len(queries), group_size)]
        nearby = [Nearby(len(queries[group]), k, self._among(queries[group], k)) for group in groups]
        # Reused from block to block: new pages of memory cost as much as the product.
        buffer: Floats = np.empty(0, np.float32)
        for rows, block, longest in self._blocks():
            slack = slack_of(queries, block.shape[1], longest)
            for near, group in zip(nearby, groups, strict=True):
                part = queries[group]
                size = len(block) * len(part)
                if buffer.size < size:
                    buffer = np.empty(size, np.float32)
                scores = buffer[:size].reshape(len(block), len(part))
                near.add(rows, np.matmul(block, part.T, out=scores), slack[group])
        del buffer
        rankings: list[tuple[Ints, Floats]] = []
        for near, group in zip(nearby, groups, strict=True):
            rankings += self._ranked(near, queries[group], k)
        return rankings

    def _blocks(self) -> Iterator[tuple[Ints, Floats, float]]:
        """Rows of each block, the block, and the greatest length of a vector so far."""
        longest = self._longest or 0.0
        vectors = self._vectors
        blocks = vectors.pieces(self._block) if isinstance(vectors, InPieces) else self._in_order()
        for rows, block in blocks:
            if self._longest is None:
                longest = max(longest, float(np.sqrt(np.einsum("ij,ij->i", block, block).max())))
            yield rows, block, longest
        self._longest = longest

    def _in_order(self) -> Iterator[tuple[Ints, Floats]]:
        for start in range(0, len(self._vectors), self._block):
            block = self._vectors.block(start, min(start + self._block, len(self._vectors)))
            yield np.arange(start, start + len(block)), block

    def _ranked(self, near: Nearby, queries: Floats, k: int) -> list[tuple[Ints, Floats]]:
        near.close()
        return side_by_side(lambda i: self._best(queries[i], near.rows(i), k), range(len(queries)))

    def _among(self, queries: Floats, k: int) -> Callable[[int, Ints], Ints]:
        return lambda query, rows: self._best(queries[query], rows, k)[0]

    def _best(self, query: Floats, rows: Ints, k: int) -> tuple[Ints, Floats]:
        return select(rows, inner(self._vectors.take(rows), query), self._id_order, k)
