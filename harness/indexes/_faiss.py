"""The base of FAISS indexes: build from a seed on one thread, cache, search, rescore.

Source: Douze et al., "The Faiss library" (2024).
"""

from __future__ import annotations

import contextlib
import math
from abc import abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from harness.base.optional import library as installed
from harness.cache.code import code_of
from harness.data.ranking import Floats, Ints, TopK
from harness.indexes import Index, Nearest, Vectors, rescored, same_dimension
from harness.indexes._stored import stored_index
from harness.runtime.context import Context

BLOCK = 16384
PER_CENTROID = 64
"""Vectors that k-means uses for each centroid; the library advises 39 to 256."""
FILE = "index.faiss"


def library() -> Any:
    """The module `faiss`.

    Raises:
        Unavailable: it is not installed.
    """
    return installed("faiss", "faiss")


class FaissIndex(Index):
    """An index of the library, built on one thread: with several, graph and centroids depend on their timing."""

    search_settings: ClassVar[frozenset[str]] = frozenset()
    """Settings of the search, not of the building: one cached index serves all their values."""
    is_cached: ClassVar[bool] = True
    """Whether building it takes longer than loading it."""

    @abstractmethod
    def empty(self, faiss: Any, vectors: Vectors, seed: int) -> Any:
        """A library index without vectors."""

    def sample(self, vectors: Vectors) -> int:
        """How many vectors it is trained on; 0 without training."""
        return 0

    def parameters(self, faiss: Any, vectors: Vectors, k: int) -> Any:
        """The library's parameters of a search for k; None for its defaults."""
        return None

    def candidates(self, k: int) -> int:
        """How many candidates a search for k rescores."""
        return k

    def versions(self) -> dict[str, str]:
        """See `Index.versions`."""
        return {"faiss": str(library().__version__)}

    def build(self, vectors: Vectors, id_order: npt.NDArray[np.int32], context: Context) -> Nearest:
        """See `Index.build`."""
        return self.nearest(vectors, id_order, context)

    def nearest(self, vectors: Vectors, id_order: npt.NDArray[np.int32], context: Context) -> FaissNearest:
        """The library's index of these vectors, built or loaded from the cache."""
        faiss = library()
        if not self.is_cached:
            return FaissNearest(self, self._filled(faiss, vectors, context), None, vectors, id_order)
        settings = {name: value for name, value in self.settings().items() if name not in self.search_settings}
        deciding = {"index": self.name(), "settings": settings, "seed": context.seed, "versions": self.versions()}
        deciding["code"] = code_of(self)

        def build(folder: Path) -> None:
            faiss.write_index(self._filled(faiss, vectors, context), str(folder / FILE))

        path = stored_index(vectors, deciding, context, build) / FILE
        return FaissNearest(self, faiss.read_index(str(path)), path.stat().st_size, vectors, id_order)

    def _filled(self, faiss: Any, vectors: Vectors, context: Context) -> Any:
        rng = context.rng(f"index {self.name()}")
        index = self.empty(faiss, vectors, int(rng.integers(2**31)))
        with _one_thread(faiss):
            if size := self.sample(vectors):
                rows = np.sort(rng.permutation(len(vectors))[:size])
                # With fewer vectors than centroids, `np.resize` repeats vectors.
                index.train(np.resize(vectors.take(rows), (size, vectors.dimension)))
            with context.progress(f"index {self.name()}", len(vectors), "vectors") as advance:
                for start in range(0, len(vectors), BLOCK):
                    stop = min(start + BLOCK, len(vectors))
                    index.add(np.ascontiguousarray(vectors.block(start, stop)))
                    advance(stop - start)
        return index


class FaissNearest:
    """A filled library index whose candidates are rescored by their vectors."""

    def __init__(
        self, index: FaissIndex, filled: Any, nbytes: int | None, vectors: Vectors, id_order: npt.NDArray[np.int32]
    ) -> None:
        self._index, self._filled, self._vectors, self._id_order = index, filled, vectors, id_order
        self._nbytes = nbytes

    @property
    def nbytes(self) -> int:
        """Of the file; without one, of the codes."""
        if self._nbytes is not None:
            return self._nbytes
        return int(self._filled.ntotal) * int(self._filled.sa_code_size())

    def search(self, queries: Floats, k: int) -> TopK:
        """See `Nearest.search`; a ranking is shorter than k if fewer are reached."""
        same_dimension(queries, self._vectors.dimension)
        candidates, _ = self.nearest(queries, self._index.candidates(k))
        return rescored(self._vectors, queries, (rows[rows >= 0] for rows in candidates), self._id_order, k)

    def nearest(self, queries: Floats, width: int) -> tuple[Ints, Floats]:
        """(Q, W) rows and library scores of the best W = min(width, N), −1 where fewer are reached."""
        width = min(width, len(self._vectors))
        if not len(queries):
            return np.zeros((0, width), np.int64), np.zeros((0, width), np.float32)
        parameters = self._index.parameters(library(), self._vectors, width)
        scores, rows = self._filled.search(np.ascontiguousarray(queries, dtype=np.float32), width, params=parameters)
        return rows, scores


@contextlib.contextmanager
def _one_thread(faiss: Any) -> Iterator[None]:
    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(before)


def lists(nlist: int | None, vectors: Vectors) -> int:
    """Number of inverted lists: by default 4 · √N, as the library's guidelines advise; at most N."""
    return min(nlist or round(4 * math.sqrt(len(vectors))), len(vectors))


def seeded(index: Any, seed: int) -> Any:
    """An inverted file whose k-means starts from the seed and accepts small collections without a warning."""
    clusterings = [index.cp]
    if hasattr(index, "pq"):
        clusterings.append(index.pq.cp)
    for clustering in clusterings:
        clustering.seed = seed
        clustering.min_points_per_centroid = 1
    return index
