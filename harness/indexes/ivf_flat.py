"""Inverted file: vectors in lists by their nearest centroid, a query reads the nearest lists only (FAISS)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from harness.choices.bounds import Count
from harness.indexes import Vectors
from harness.indexes._faiss import PER_CENTROID, FaissIndex, lists, seeded
from harness.indexes._inverted import lists_read


@dataclass(frozen=True)
class IVFFlat(FaissIndex):
    """`IndexIVFFlat` by inner product; memory 4 · D + 8 bytes a vector.

    Source: Sivic and Zisserman, "Video Google" (2003); Douze et al., "The Faiss library" (2024), section 5.

    Args:
        nlist: number of lists; None takes 4 · √N.
        nprobe: lists that a query reads; None takes an eighth of all, at least 64.
    """

    exact: ClassVar[bool] = False
    search_settings: ClassVar[frozenset[str]] = frozenset({"nprobe"})
    nlist: Count | None = None
    nprobe: Count | None = None

    def empty(self, faiss: Any, vectors: Vectors, seed: int) -> Any:
        """See `FaissIndex.empty`."""
        d, nlist = vectors.dimension, lists(self.nlist, vectors)
        return seeded(faiss.IndexIVFFlat(faiss.IndexFlatIP(d), d, nlist, faiss.METRIC_INNER_PRODUCT), seed)

    def sample(self, vectors: Vectors) -> int:
        """See `FaissIndex.sample`."""
        return min(len(vectors), PER_CENTROID * lists(self.nlist, vectors))

    def parameters(self, faiss: Any, vectors: Vectors, k: int) -> Any:
        """See `FaissIndex.parameters`."""
        return faiss.SearchParametersIVF(nprobe=lists_read(self.nprobe, lists(self.nlist, vectors)))
