"""Scalar quantisation by FAISS: each value in 8 bits or as fp16, every code compared on all cores, the best
rescored.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from harness.choices.bounds import Count
from harness.indexes import Vectors
from harness.indexes._faiss import FaissIndex

SAMPLE = 65536
Code = Literal["8bit", "fp16"]


@dataclass(frozen=True)
class Scalar(FaissIndex):
    """`IndexScalarQuantizer` by inner product; memory D bytes a vector, 2 · D as fp16.

    The range of each dimension is that of a sample of 65,536 vectors; what lies beyond is cut to it.

    Args:
        code: `8bit` or `fp16`.
        rescore: for a search for k, so many times k are found by the codes and rescored by the vectors.
    """

    exact: ClassVar[bool] = False
    worth_keeping: ClassVar[bool] = False
    code: Code = "8bit"
    rescore: Count = 2

    def empty(self, faiss: Any, vectors: Vectors, seed: int) -> Any:
        """See `FaissIndex.empty`."""
        kind = getattr(faiss.ScalarQuantizer, f"QT_{self.code}")
        return faiss.IndexScalarQuantizer(vectors.dimension, kind, faiss.METRIC_INNER_PRODUCT)

    def sample(self, vectors: Vectors) -> int:
        """See `FaissIndex.sample`."""
        return min(len(vectors), SAMPLE)

    def wide(self, k: int) -> int:
        """See `FaissIndex.wide`."""
        return k * self.rescore
