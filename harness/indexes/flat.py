"""FAISS's exact search: every vector compared, in memory, on all cores; ranks as `exact` does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from harness.data.ranking import Floats, Ints, TopK
from harness.indexes import Nearest, Vectors, rescored, same_dimension
from harness.indexes._faiss import FaissIndex, FaissNearest
from harness.runtime.context import Context

BLOCK = 8192
MARGIN = 16
"""Candidates beyond k of the first try."""


@dataclass(frozen=True)
class Flat(FaissIndex):
    """`IndexFlatIP`, searched for more than k until no vector left out can belong to the k best.

    Its products are float32 sums and round differently from one vector to the next, so that they cannot order vectors
    that are nearly equally near; `harness.indexes.inner` does.
    """

    exact: ClassVar[bool] = True
    is_cached: ClassVar[bool] = False

    def empty(self, faiss: Any, vectors: Vectors, seed: int) -> Any:
        """See `FaissIndex.empty`."""
        return faiss.IndexFlatIP(vectors.dimension)

    def build(self, vectors: Vectors, id_order: npt.NDArray[np.int32], context: Context) -> Nearest:
        """See `Index.build`."""
        faiss = self.nearest(vectors, id_order, context)
        longest = 0.0
        for start in range(0, len(vectors), BLOCK):
            block = vectors.block(start, min(start + BLOCK, len(vectors)))
            longest = max(longest, float(np.linalg.norm(block, axis=1).max()))
        return _Nearest(faiss, vectors, id_order, longest)


class _Nearest:
    def __init__(self, faiss: FaissNearest, vectors: Vectors, id_order: npt.NDArray[np.int32], longest: float) -> None:
        self._faiss, self._vectors, self._id_order, self._longest = faiss, vectors, id_order, longest

    @property
    def nbytes(self) -> int:
        return self._faiss.nbytes

    def search(self, queries: Floats, k: int) -> TopK:
        """See `Nearest.search`."""
        same_dimension(queries, self._vectors.dimension)
        # A float32 sum of D products is off by at most D · 2⁻²⁴ · |q| · |v|; twice that, as the k-th score is off too.
        slack = (self._vectors.dimension + 4) * 2.0**-23 * np.linalg.norm(queries, axis=1) * self._longest
        candidates: list[Ints] = [np.zeros(0, np.int64)] * len(queries)
        remaining, width = np.arange(len(queries)), k + MARGIN
        while len(remaining):
            rows, scores = self._faiss.nearest(queries[remaining], width)
            width = rows.shape[1]
            if width <= k or width == len(self._vectors):
                done = np.full(len(remaining), True)
            else:
                done = scores[:, -1] < scores[:, k - 1] - slack[remaining]
            for query, nearest in zip(remaining[done], rows[done], strict=True):
                candidates[query] = nearest
            remaining, width = remaining[~done], 2 * width
        return rescored(self._vectors, queries, candidates, self._id_order, k)
