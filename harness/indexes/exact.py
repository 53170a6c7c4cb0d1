"""Exact search by blocked matrix products: every vector is compared, in memory that does not grow with the corpus."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import ClassVar, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from harness.base.errors import SettingError
from harness.base.memory import Memory, Reservation
from harness.base.threads import side_by_side
from harness.data.ranking import Floats, Ints, TopK, select, stack
from harness.indexes import Index, Vectors, inner, same_dimension
from harness.indexes._near import BYTES_OF_A_PLACE, Nearby, width
from harness.runtime.context import Context

FEWEST = 256
"""Vectors of a block, however small the budget."""


@dataclass(frozen=True)
class Exact(Index):
    """Compares every query with every vector, block by block.

    A matrix product rounds differently from one place in a block to another, so that equal vectors get unequal scores.
    It only tells here which vectors can be among the k best, by a bound on its error; `harness.indexes.inner` scores
    those.

    Args:
        block: vectors compared at once, fewer where the memory of the run does not hold as many.
    """

    exact: ClassVar[bool] = True
    block: int = 8192

    def __post_init__(self) -> None:
        if self.block < 1:
            raise SettingError(f"exact: block must be 1 or more, not {self.block}")

    def build(self, vectors: Vectors, id_order: npt.NDArray[np.int32], context: Context | None = None) -> _Flat:
        """See `Index.build`; of the context it needs the memory.

        Vectors stay in memory where that has a place for them (`Memory.hold`); others are read block by block at each
        search.
        """
        memory = context.memory if context else Memory()
        return _Flat(in_memory(vectors, memory), id_order, self.block, memory)


def in_memory(vectors: Vectors, memory: Memory) -> Vectors:
    """The vectors, read at once where the memory has a place for them, as they are where it has none."""
    held = memory.hold(len(vectors) * vectors.dimension * 4)
    return vectors if held is None else _InMemory(vectors.block(0, len(vectors)), held)


@runtime_checkable
class InPieces(Protocol):
    """Vectors that are read faster in an order of their own."""

    def pieces(self, size: int) -> Iterator[tuple[Ints, Floats]]:
        """All vectors, each once, at most so many at a time: their rows, (m, D) vectors."""
        ...


class _InMemory:
    def __init__(self, array: Floats, held: Reservation) -> None:
        self._array = array
        self._held = held

    def __len__(self) -> int:
        return len(self._array)

    @property
    def dimension(self) -> int:
        return int(self._array.shape[1])

    def block(self, start: int, stop: int) -> Floats:
        return self._array[start:stop]

    def take(self, rows: Ints) -> Floats:
        return np.take(self._array, rows, axis=0)


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
            SettingError: the memory of the run does not hold one query's k best; says how much does.
        """
        same_dimension(queries, self._vectors.dimension)
        wanted, k = k, max(1, min(k, len(self._vectors)))
        # 4 bytes of a score, 1 of its mark, 4 of the copy that is parted.
        together = max(1, self._memory.block // (9 * self._block))
        # The k that come in with a block are sorted by query: 48 bytes each while that goes on.
        taken = BYTES_OF_A_PLACE * width(k) + 48 * k
        least = taken + self._block * (9 + 4 * self._vectors.dimension)
        self._memory.require(least, f"exact search of {len(self._vectors):,} vectors, {k:,} deep,")
        at_once = max(1, self._memory.working // taken)
        found: list[tuple[Ints, Floats]] = []
        for first in range(0, len(queries), at_once):
            found += self._pass(queries[first : first + at_once], k, together)
        return stack(found, wanted)

    def _pass(self, queries: Floats, k: int, together: int) -> list[tuple[Ints, Floats]]:
        """The k best of each of some queries: the vectors are read once, and compared with so many queries together."""
        groups = [slice(first, first + together) for first in range(0, len(queries), together)]
        lengths = np.linalg.norm(queries.astype(np.float64), axis=1)
        nearby = [Nearby(len(part := queries[group]), k, self._among(part, k)) for group in groups]
        room: Floats = np.empty(0, np.float32)
        for rows, block, longest in self._blocks():
            # A float32 sum of D products is off by at most D · 2⁻²⁴ · |q| · |v|; twice that, since the k-th score is
            # off too.
            slack = (block.shape[1] + 4) * 2.0**-23 * lengths * longest
            for near, group in zip(nearby, groups, strict=True):
                asked = queries[group]
                if room.size < len(block) * len(
                    asked
                ):  # written over from block to block: new pages cost as much as the product
                    room = np.empty(len(block) * len(asked), np.float32)
                scores = room[: len(block) * len(asked)].reshape(len(block), len(asked))
                near.add(rows, np.matmul(block, asked.T, out=scores), slack[group])
        del room
        return [
            ranking
            for near, group in zip(nearby, groups, strict=True)
            for ranking in self._ranked(near, queries[group], k)
        ]

    def _blocks(self) -> Iterator[tuple[Ints, Floats, float]]:
        """Rows of each block, the block, and the greatest length of a vector up to there."""
        longest = self._longest or 0.0
        for rows, block in (
            self._vectors.pieces(self._block) if isinstance(self._vectors, InPieces) else self._in_order()
        ):
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
