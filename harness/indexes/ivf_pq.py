"""Inverted file with product quantisation: some bytes a vector, the nearest lists read, the best rescored (FAISS)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from annotated_types import Interval

from harness.choices.bounds import Count
from harness.indexes import Vectors
from harness.indexes._faiss import PER_CENTROID, FaissIndex, lists, seeded
from harness.indexes._inverted import parts, read


@dataclass(frozen=True)
class IVFPQ(FaissIndex):
    """`IndexIVFPQ` by inner product, of what is left after the centroid; memory m · bits / 8 + 8 bytes a vector.

    Source: Jégou, Douze, Schmid, "Product Quantization for Nearest Neighbor Search" (2011).

    Args:
        nlist: lists; None takes 4 · √N.
        nprobe: lists that a query reads; None takes an eighth of them, at least 64.
        m: parts of a vector that are coded each on its own; divides D. None takes the most up to D / 4.
        bits: of a part's code, 4 to 12.
        rescore: for a search for k, so many times k are found by the codes and rescored by the vectors.
    """

    exact: ClassVar[bool] = False
    asked: ClassVar[frozenset[str]] = frozenset({"nprobe", "rescore"})
    nlist: Count | None = None
    nprobe: Count | None = None
    m: Count | None = None
    bits: Annotated[int, Interval(ge=4, le=12)] = 8
    rescore: Count = 4

    def empty(self, faiss: Any, vectors: Vectors, seed: int) -> Any:
        """See `FaissIndex.empty`."""
        d = vectors.dimension
        coarse, nlist, m = faiss.IndexFlatIP(d), lists(self.nlist, vectors), parts(self, self.m, d)
        return seeded(faiss.IndexIVFPQ(coarse, d, nlist, m, self.bits, faiss.METRIC_INNER_PRODUCT), seed)

    def sample(self, vectors: Vectors) -> int:
        """See `FaissIndex.sample`."""
        centroids = max(lists(self.nlist, vectors), 2**self.bits)
        return int(max(min(len(vectors), PER_CENTROID * centroids), 2**self.bits))

    def parameters(self, faiss: Any, vectors: Vectors, k: int) -> Any:
        """See `FaissIndex.parameters`."""
        return faiss.SearchParametersIVF(nprobe=read(self.nprobe, lists(self.nlist, vectors)))

    def wide(self, k: int) -> int:
        """See `FaissIndex.wide`."""
        return k * self.rescore
