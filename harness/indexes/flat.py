"""FAISS's exact search: every vector compared, in memory, on all cores; ranks as `exact` does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from harness.data.ranking import Floats, TopK
from harness.indexes import Nearest, Vectors, same_dimension
from harness.indexes._faiss import FaissIndex, FaissNearest
from harness.indexes._verified import greatest_length, verified
from harness.runtime.context import Context


@dataclass(frozen=True)
class Flat(FaissIndex):
    """`IndexFlatIP`, searched for more than k until no vector left out can belong to the k best."""

    exact: ClassVar[bool] = True
    is_cached: ClassVar[bool] = False

    def empty(self, faiss: Any, vectors: Vectors, seed: int) -> Any:
        """See `FaissIndex.empty`."""
        return faiss.IndexFlatIP(vectors.dimension)

    def build(self, vectors: Vectors, id_order: npt.NDArray[np.int32], context: Context) -> Nearest:
        """See `Index.build`."""
        faiss = self.nearest(vectors, id_order, context)
        return _Nearest(faiss, vectors, id_order, greatest_length(vectors))


class _Nearest:
    def __init__(self, faiss: FaissNearest, vectors: Vectors, id_order: npt.NDArray[np.int32], longest: float) -> None:
        self._faiss, self._vectors, self._id_order, self._longest = faiss, vectors, id_order, longest

    @property
    def nbytes(self) -> int:
        return self._faiss.nbytes

    def search(self, queries: Floats, k: int) -> TopK:
        """See `Nearest.search`."""
        same_dimension(queries, self._vectors.dimension)
        return verified(self._faiss.nearest, self._vectors, queries, self._id_order, k, self._longest)
