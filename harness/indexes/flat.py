"""FAISS's exact search: every vector compared, all in memory, on all cores; ranks as `exact` does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from harness.data.ranking import Floats, Ints, TopK
from harness.indexes import Nearest, Vectors, rescored, same_dimension
from harness.indexes._faiss import FaissIndex, FaissNearest
from harness.runtime.context import Context

MORE = 16


@dataclass(frozen=True)
class Flat(FaissIndex):
    """`IndexFlatIP`, asked for more than k until nothing it left out can belong to the k best.

    Its products are float32 sums and round differently from one vector to the next, so that it cannot decide between
    vectors that are nearly as near; `harness.indexes.inner` does.
    """

    exact: ClassVar[bool] = True
    worth_keeping: ClassVar[bool] = False

    def empty(self, faiss: Any, vectors: Vectors, seed: int) -> Any:
        """See `FaissIndex.empty`."""
        return faiss.IndexFlatIP(vectors.dimension)

    def build(self, vectors: Vectors, id_order: npt.NDArray[np.int32], context: Context) -> Nearest:
        """See `Index.build`."""
        held = self.nearest(vectors, id_order, context)
        starts = range(0, len(vectors), 8192)
        lengths = (np.linalg.norm(vectors.block(i, min(i + 8192, len(vectors))), axis=1).max() for i in starts)
        return _Nearest(held, vectors, id_order, max(map(float, lengths)))


class _Nearest:
    def __init__(self, held: FaissNearest, vectors: Vectors, id_order: npt.NDArray[np.int32], longest: float) -> None:
        self._held, self._vectors, self._id_order, self._longest = held, vectors, id_order, longest

    @property
    def nbytes(self) -> int:
        return self._held.nbytes

    def search(self, queries: Floats, k: int) -> TopK:
        """See `Nearest.search`."""
        same_dimension(queries, self._vectors.dimension)
        # A float32 sum of D products is off by at most D · 2⁻²⁴ · |q| · |v|; twice that, since the k-th score is off
        # too.
        slack = (self._vectors.dimension + 4) * 2.0**-23 * np.linalg.norm(queries, axis=1) * self._longest
        candidates: list[Ints] = [np.zeros(0, np.int64)] * len(queries)
        left, wide = np.arange(len(queries)), k + MORE
        while len(left):
            rows, scores = self._held.nearest(queries[left], wide)
            wide = rows.shape[1]
            enough = wide <= k or wide == len(self._vectors)
            done = np.full(len(left), True) if enough else scores[:, -1] < scores[:, k - 1] - slack[left]
            for query, found in zip(left[done], rows[done], strict=True):
                candidates[query] = found
            left, wide = left[~done], 2 * wide
        return rescored(self._vectors, queries, candidates, self._id_order, k)
