"""HNSW, a graph of near neighbours walked greedily: fast at high recall, more memory than the vectors (FAISS)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from annotated_types import Ge

from harness.choices.bounds import Count
from harness.indexes import Vectors
from harness.indexes._faiss import FaissIndex


@dataclass(frozen=True)
class HNSW(FaissIndex):
    """`IndexHNSWFlat` by inner product; memory 4 · D + 8 · m bytes a vector, and some for the upper layers.

    Source: Malkov and Yashunin, "Efficient and robust approximate nearest neighbor search using Hierarchical Navigable
    Small World graphs" (2018).

    Args:
        m: neighbours of a vector in a layer, twice as many in the lowest; 2 or more: layers are drawn with 1 / ln m.
        ef_construction: size of the candidate list while the neighbours of a vector are searched.
        ef_search: size of the candidate list of a query; a search for k takes at least k.
    """

    exact: ClassVar[bool] = False
    search_settings: ClassVar[frozenset[str]] = frozenset({"ef_search"})
    m: Annotated[int, Ge(2)] = 32
    ef_construction: Count = 200
    ef_search: Count = 64

    def empty(self, faiss: Any, vectors: Vectors, seed: int) -> Any:
        """See `FaissIndex.empty`."""
        index = faiss.IndexHNSWFlat(vectors.dimension, self.m, faiss.METRIC_INNER_PRODUCT)
        index.hnsw.efConstruction = self.ef_construction
        index.hnsw.rng = faiss.RandomGenerator(seed)
        return index

    def parameters(self, faiss: Any, vectors: Vectors, k: int) -> Any:
        """See `FaissIndex.parameters`."""
        return faiss.SearchParametersHNSW(efSearch=max(self.ef_search, k))
