"""Exact search by blocked matrix products: every vector is compared, in memory that does not grow with the corpus."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from harness.errors import SettingError
from harness.indexes import Index, Vectors
from harness.ranking import Floats, Ints, TopK, select, stack


@dataclass(frozen=True)
class Exact(Index):
    """Compares every query with every vector, block by block.

    Args:
        block: vectors compared at once. Scores of a block take 4 · block · queries bytes, queries being cut to keep that
            under 64 MiB.
    """

    exact: ClassVar[bool] = True
    block: int = 8192

    def __post_init__(self) -> None:
        if self.block < 1:
            raise SettingError(f"exact: block must be 1 or more, not {self.block}")

    def build(self, vectors: Vectors, id_order: npt.NDArray[np.int32]) -> _Flat:
        """See `Index.build`; nothing is copied."""
        return _Flat(vectors, id_order, self.block)


class _Flat:
    def __init__(self, vectors: Vectors, id_order: npt.NDArray[np.int32], block: int) -> None:
        self._vectors = vectors
        self._id_order = id_order
        self._block = block

    @property
    def nbytes(self) -> int:
        return len(self._vectors) * self._vectors.dimension * 4

    def search(self, queries: Floats, k: int) -> TopK:
        """See `Nearest.search`."""
        if queries.shape[1] != self._vectors.dimension:
            raise ValueError(f"queries have {queries.shape[1]} dimensions, the index {self._vectors.dimension}")
        best: list[tuple[Ints, Floats]] = [(np.zeros(0, np.int64), np.zeros(0, np.float32)) for _ in queries]
        many = max(1, (64 << 20) // (4 * self._block))
        for start in range(0, len(self._vectors), self._block):
            stop = min(start + self._block, len(self._vectors))
            block = self._vectors.block(start, stop)
            rows = np.arange(start, stop, dtype=np.int64)
            for first in range(0, len(queries), many):
                for i, scores in enumerate(queries[first : first + many] @ block.T, start=first):
                    best[i] = self._merge(best[i], rows, scores, k)
        return stack(best, k)

    def _merge(self, held: tuple[Ints, Floats], rows: Ints, scores: Floats, k: int) -> tuple[Ints, Floats]:
        indices, values = held
        if len(indices) == k:  # only what reaches the k-th score so far can enter
            near = scores >= values[-1]
            rows, scores = rows[near], scores[near]
        if not len(rows):
            return held
        return select(np.concatenate([indices, rows]), np.concatenate([values, scores]), self._id_order, k)
