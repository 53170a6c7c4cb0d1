"""Search of short codes, for several indexes: every code is compared, the best are rescored by their vectors."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from harness.data.ranking import Floats, Ints, TopK, select
from harness.indexes import Vectors, rescored, same_dimension

BLOCK = 8192
SCORES_BYTES = 64 << 20


class Coded:
    """Codes in memory; vectors are read from their source.

    Args:
        vectors: (N, D); only the candidates are read.
        nbytes: of the codes.
        nearness: (q, D) queries → (q, N) float32, the higher the nearer.
        id_order: (N,) breaks ties, of codes too.
        rescore: a search for k rescores `rescore` · k candidates.
    """

    def __init__(
        self,
        vectors: Vectors,
        nbytes: int,
        nearness: Callable[[Floats], Floats],
        id_order: npt.NDArray[np.int32],
        rescore: int,
    ) -> None:
        self.nbytes = nbytes
        self._vectors, self._nearness, self._id_order, self._rescore = vectors, nearness, id_order, rescore

    def search(self, queries: Floats, k: int) -> TopK:
        """See `Nearest.search`."""
        same_dimension(queries, self._vectors.dimension)
        number = len(self._vectors)
        rows = np.arange(number, dtype=np.int64)
        queries_at_once = max(1, SCORES_BYTES // (4 * number))
        candidates: list[Ints] = []
        for first in range(0, len(queries), queries_at_once):
            near = self._nearness(queries[first : first + queries_at_once])
            candidates += [select(rows, scores, self._id_order, k * self._rescore)[0] for scores in near]
        return rescored(self._vectors, queries, candidates, self._id_order, k)
