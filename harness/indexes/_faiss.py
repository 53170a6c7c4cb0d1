"""What the indexes made by FAISS share: building from a seed on one thread, keeping, searching, rescoring.

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
from harness.indexes._stored import kept
from harness.runtime.context import Context

BLOCK = 16384
PER_CENTROID = 64
"""Vectors that k-means sees for each centroid; the library's advice is 39 to 256."""
FILE = "index.faiss"


def library() -> Any:
    """The module `faiss`.

    Raises:
        Unavailable: it is not installed.
    """
    return installed("faiss", "faiss")


class FaissIndex(Index):
    """An index of the library. Built on one thread: with several, the graph and the centroids depend on which is
    ahead.
    """

    asked: ClassVar[frozenset[str]] = frozenset()
    """Settings that matter when it is searched, not when it is built: what is kept serves all their values."""
    worth_keeping: ClassVar[bool] = True
    """Whether building it takes longer than loading it."""

    @abstractmethod
    def empty(self, faiss: Any, vectors: Vectors, seed: int) -> Any:
        """A library index without vectors."""

    def sample(self, vectors: Vectors) -> int:
        """How many vectors it learns from; 0 where it learns nothing."""
        return 0

    def parameters(self, faiss: Any, vectors: Vectors, k: int) -> Any:
        """The library's parameters of a search for k; None for its defaults."""
        return None

    def wide(self, k: int) -> int:
        """How many are found for a search for k, to be rescored."""
        return k

    def versions(self) -> dict[str, str]:
        """See `Index.versions`."""
        return {"faiss": str(library().__version__)}

    def build(self, vectors: Vectors, id_order: npt.NDArray[np.int32], context: Context) -> Nearest:
        """See `Index.build`."""
        return self.nearest(vectors, id_order, context)

    def nearest(self, vectors: Vectors, id_order: npt.NDArray[np.int32], context: Context) -> FaissNearest:
        """The library's index of these vectors, built now or taken from the cache."""
        faiss = library()
        if not self.worth_keeping:
            return FaissNearest(self, self._filled(faiss, vectors, context), None, vectors, id_order)
        settings = {name: value for name, value in self.settings().items() if name not in self.asked}
        deciding = {"index": self.name(), "settings": settings, "seed": context.seed, "versions": self.versions()}
        deciding["code"] = code_of(self)

        def build(folder: Path) -> None:
            faiss.write_index(self._filled(faiss, vectors, context), str(folder / FILE))

        path = kept(vectors, deciding, context, build) / FILE
        return FaissNearest(self, faiss.read_index(str(path)), path.stat().st_size, vectors, id_order)

    def _filled(self, faiss: Any, vectors: Vectors, context: Context) -> Any:
        rng = context.rng(f"index {self.name()}")
        index = self.empty(faiss, vectors, int(rng.integers(2**31)))
        with _one_thread(faiss):
            if many := self.sample(vectors):
                rows = np.sort(rng.permutation(len(vectors))[:many])
                # A collection may have fewer vectors than there are centroids to place: then each is seen more than
                # once.
                index.train(np.resize(vectors.take(rows), (many, vectors.dimension)))
            with context.progress(f"index {self.name()}", len(vectors), "vectors") as advance:
                for start in range(0, len(vectors), BLOCK):
                    stop = min(start + BLOCK, len(vectors))
                    index.add(np.ascontiguousarray(vectors.block(start, stop)))
                    advance(stop - start)
        return index


class FaissNearest:
    """A filled library index, what it finds rescored by the vectors."""

    def __init__(
        self, index: FaissIndex, held: Any, nbytes: int | None, vectors: Vectors, id_order: npt.NDArray[np.int32]
    ) -> None:
        self._index, self._held, self._vectors, self._id_order = index, held, vectors, id_order
        self._nbytes = nbytes

    @property
    def nbytes(self) -> int:
        """Of the file; where there is none, of the codes."""
        return int(self._held.ntotal) * int(self._held.sa_code_size()) if self._nbytes is None else self._nbytes

    def search(self, queries: Floats, k: int) -> TopK:
        """See `Nearest.search`; a ranking is shorter than k where fewer are reached."""
        same_dimension(queries, self._vectors.dimension)
        found, _ = self.nearest(queries, self._index.wide(k))
        return rescored(self._vectors, queries, (rows[rows >= 0] for rows in found), self._id_order, k)

    def nearest(self, queries: Floats, wide: int) -> tuple[Ints, Floats]:
        """(Q, W) rows and library scores of the best W = min(wide, N), −1 where fewer are reached."""
        wide = min(wide, len(self._vectors))
        if not len(queries):
            return np.zeros((0, wide), np.int64), np.zeros((0, wide), np.float32)
        parameters = self._index.parameters(library(), self._vectors, wide)
        scores, rows = self._held.search(np.ascontiguousarray(queries, dtype=np.float32), wide, params=parameters)
        return rows, scores


@contextlib.contextmanager
def _one_thread(faiss: Any) -> Iterator[None]:
    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(before)


def lists(asked: int | None, vectors: Vectors) -> int:
    """Number of inverted lists: 4 · √N where none is asked for, as the library's guidelines advise; never more than
    N.
    """
    return min(asked or round(4 * math.sqrt(len(vectors))), len(vectors))


def seeded(index: Any, seed: int) -> Any:
    """An inverted file whose k-means starts from the seed, and does not complain of small collections."""
    trained = [index.cp] + ([index.pq.cp] if hasattr(index, "pq") else [])
    for clustering in trained:
        clustering.seed = seed
        clustering.min_points_per_centroid = 1
    return index
