"""Scalar quantisation by FAISS: each value in 8 bits or as fp16, every code compared, the best rescored."""

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

    The range of each dimension is that of a sample of 65,536 vectors; values outside it are clipped.

    Args:
        code: `8bit` or `fp16`.
        rescore: for a search for k, `rescore` · k candidates by code are rescored by their vectors.
    """

    exact: ClassVar[bool] = False
    is_cached: ClassVar[bool] = False
    code: Code = "8bit"
    rescore: Count = 2

    def empty(self, faiss: Any, vectors: Vectors, seed: int) -> Any:
        """See `FaissIndex.empty`."""
        kind = getattr(faiss.ScalarQuantizer, f"QT_{self.code}")
        return faiss.IndexScalarQuantizer(vectors.dimension, kind, faiss.METRIC_INNER_PRODUCT)

    def sample(self, vectors: Vectors) -> int:
        """See `FaissIndex.sample`."""
        return min(len(vectors), SAMPLE)

    def candidates(self, k: int) -> int:
        """See `FaissIndex.candidates`."""
        return k * self.rescore
