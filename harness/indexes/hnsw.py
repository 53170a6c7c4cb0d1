"""HNSW, a graph of near neighbours walked greedily: fast at high recall, more memory than the vectors (FAISS)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from harness.base.errors import SettingError
from harness.indexes import Vectors
from harness.indexes._faiss import FaissIndex
from harness.indexes._inverted import at_least_1


@dataclass(frozen=True)
class HNSW(FaissIndex):
    """`IndexHNSWFlat` by inner product; memory 4 · D + 8 · m bytes a vector, and some for the upper layers.

    Source: Malkov and Yashunin, "Efficient and robust approximate nearest neighbor search using Hierarchical Navigable
    Small World graphs" (2018).

    Args:
        m: neighbours of a vector in a layer, twice as many in the lowest.
        ef_construction: candidates kept while a vector's neighbours are looked for.
        ef_search: candidates kept while a query is searched; a search for k keeps k at least.
    """

    exact: ClassVar[bool] = False
    asked: ClassVar[frozenset[str]] = frozenset({"ef_search"})
    m: int = 32
    ef_construction: int = 200
    ef_search: int = 64

    def __post_init__(self) -> None:
        at_least_1(self, "ef_construction", "ef_search")
        if self.m < 2:  # the layers are drawn with 1 / ln m
            raise SettingError(f"hnsw: m must be 2 or more, not {self.m}")

    def empty(self, faiss: Any, vectors: Vectors, seed: int) -> Any:
        """See `FaissIndex.empty`."""
        index = faiss.IndexHNSWFlat(vectors.dimension, self.m, faiss.METRIC_INNER_PRODUCT)
        index.hnsw.efConstruction = self.ef_construction
        index.hnsw.rng = faiss.RandomGenerator(seed)
        return index

    def parameters(self, faiss: Any, vectors: Vectors, k: int) -> Any:
        """See `FaissIndex.parameters`."""
        return faiss.SearchParametersHNSW(efSearch=max(self.ef_search, k))
