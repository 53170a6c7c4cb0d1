"""Inverted file with product quantisation: a few bytes a vector, the nearest lists read, the best rescored (FAISS)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from annotated_types import Interval

from harness.choices.bounds import Count
from harness.indexes import Vectors
from harness.indexes._faiss import PER_CENTROID, FaissIndex, lists, seeded
from harness.indexes._inverted import code_parts, lists_read


@dataclass(frozen=True)
class IVFPQ(FaissIndex):
    """`IndexIVFPQ` by inner product, of the residuals after the centroid; memory m · bits / 8 + 8 bytes a vector.

    Source: Jégou, Douze, Schmid, "Product Quantization for Nearest Neighbor Search" (2011).

    Args:
        nlist: number of lists; None takes 4 · √N.
        nprobe: lists that a query reads; None takes an eighth of all, at least 64.
        m: parts of a vector, each with its own code; divides D. None takes the largest divisor up to D / 4.
        bits: of a part's code, 4 to 12.
        rescore: for a search for k, `rescore` · k candidates by code are rescored by their vectors.
    """

    exact: ClassVar[bool] = False
    search_settings: ClassVar[frozenset[str]] = frozenset({"nprobe", "rescore"})
    nlist: Count | None = None
    nprobe: Count | None = None
    m: Count | None = None
    bits: Annotated[int, Interval(ge=4, le=12)] = 8
    rescore: Count = 4

    def empty(self, faiss: Any, vectors: Vectors, seed: int) -> Any:
        """See `FaissIndex.empty`."""
        d = vectors.dimension
        coarse, nlist, m = faiss.IndexFlatIP(d), lists(self.nlist, vectors), code_parts(self, self.m, d)
        return seeded(faiss.IndexIVFPQ(coarse, d, nlist, m, self.bits, faiss.METRIC_INNER_PRODUCT), seed)

    def sample(self, vectors: Vectors) -> int:
        """See `FaissIndex.sample`."""
        centroids = max(lists(self.nlist, vectors), 2**self.bits)
        return int(max(min(len(vectors), PER_CENTROID * centroids), 2**self.bits))

    def parameters(self, faiss: Any, vectors: Vectors, k: int) -> Any:
        """See `FaissIndex.parameters`."""
        return faiss.SearchParametersIVF(nprobe=lists_read(self.nprobe, lists(self.nlist, vectors)))

    def candidates(self, k: int) -> int:
        """See `FaissIndex.candidates`."""
        return k * self.rescore
