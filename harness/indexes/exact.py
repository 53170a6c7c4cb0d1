"""Exact search by blocked matrix products: every vector is compared, in memory that does not grow with the corpus."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from harness.context import Context
from harness.errors import SettingError
from harness.indexes import Index, Vectors, inner, same_dimension
from harness.ranking import Floats, Ints, TopK, select, stack

HELD_BYTES = 512 << 20
"""Vectors of a collection up to this size stay in memory: bounded, and a query need not gather them anew."""


@dataclass(frozen=True)
class Exact(Index):
    """Compares every query with every vector, block by block.

    A matrix product rounds differently from one place in a block to another, so that equal vectors get unequal scores. It only
    tells here which vectors can be among the k best, by a bound on its error; `harness.indexes.inner` scores those.

    Args:
        block: vectors compared at once. Scores of a block take 4 · block · queries bytes, queries being cut to keep that
            under 64 MiB.
    """

    exact: ClassVar[bool] = True
    block: int = 8192

    def __post_init__(self) -> None:
        if self.block < 1:
            raise SettingError(f"exact: block must be 1 or more, not {self.block}")

    def build(self, vectors: Vectors, id_order: npt.NDArray[np.int32], context: Context | None = None) -> _Flat:
        """See `Index.build`; up to `HELD_BYTES` of vectors are read into memory once, more are read block by block.

        It needs no context.
        """
        if len(vectors) * vectors.dimension * 4 <= HELD_BYTES:
            vectors = _InMemory(vectors.block(0, len(vectors)))
        return _Flat(vectors, id_order, self.block)


class _InMemory:
    def __init__(self, array: Floats) -> None:
        self._array = array

    def __len__(self) -> int:
        return len(self._array)

    @property
    def dimension(self) -> int:
        return int(self._array.shape[1])

    def block(self, start: int, stop: int) -> Floats:
        return self._array[start:stop]

    def take(self, rows: Ints) -> Floats:
        return self._array[rows]


class _Flat:
    def __init__(self, vectors: Vectors, id_order: npt.NDArray[np.int32], block: int) -> None:
        self._vectors = vectors
        self._id_order = id_order
        self._block = block

    @property
    def nbytes(self) -> int:
        return len(self._vectors) * self._vectors.dimension * 4

    @cached_property
    def _longest(self) -> float:
        """The greatest length of a vector."""
        starts = range(0, len(self._vectors), self._block)
        blocks = (self._vectors.block(start, min(start + self._block, len(self._vectors))) for start in starts)
        return max((float(np.linalg.norm(block, axis=1).max()) for block in blocks), default=0.0)

    def search(self, queries: Floats, k: int) -> TopK:
        """See `Nearest.search`."""
        dimension = self._vectors.dimension
        same_dimension(queries, dimension)
        # A float32 sum of D products is off by at most D · 2⁻²⁴ · |q| · |v|; twice that, since the k-th score is off too.
        slack = (dimension + 4) * 2.0**-23 * np.linalg.norm(queries, axis=1) * self._longest
        near = [Near(k, margin) for margin in slack.tolist()]
        many = max(1, (64 << 20) // (4 * self._block))
        for start in range(0, len(self._vectors), self._block):
            stop = min(start + self._block, len(self._vectors))
            block = self._vectors.block(start, stop)
            rows = np.arange(start, stop, dtype=np.int64)
            for first in range(0, len(queries), many):
                for i, scores in enumerate(queries[first : first + many] @ block.T, start=first):
                    near[i].add(rows, scores)
        return stack([self._best(query, found.rows, k) for query, found in zip(queries, near, strict=True)], k)

    def _best(self, query: Floats, rows: Ints, k: int) -> tuple[Ints, Floats]:
        return select(rows, inner(self._vectors.take(rows), query), self._id_order, k)


class Near:
    """The vectors that may be among the k best of one query: none that scores more than `slack` below the k-th so far."""

    def __init__(self, k: int, slack: float) -> None:
        self.rows: Ints = np.zeros(0, np.int64)
        self._scores: Floats = np.zeros(0, np.float32)
        self._k, self._slack, self._floor = k, slack, -np.inf

    def add(self, rows: Ints, scores: Floats) -> None:
        """Takes in a block, (n,) rows and their scores."""
        enter = scores >= self._floor
        if not enter.any():
            return
        rows, scores = np.concatenate([self.rows, rows[enter]]), np.concatenate([self._scores, scores[enter]])
        if len(scores) > self._k:
            place = len(scores) - self._k
            self._floor = float(np.partition(scores, place)[place]) - self._slack
            stay = scores >= self._floor
            rows, scores = rows[stay], scores[stay]
        self.rows, self._scores = rows, scores
