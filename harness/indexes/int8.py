"""Vectors as 8-bit integers: every code compared, the best rescored by their vectors; needs no library."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from harness.choices.bounds import Count
from harness.data.ranking import Floats
from harness.indexes import Index, Vectors
from harness.indexes._codes import BLOCK, Coded
from harness.runtime.context import Context

LEVELS = 255


@dataclass(frozen=True)
class Int8(Index):
    """Divides the range of each dimension over the collection into 255 steps; memory D bytes a vector.

    The codes are those of `sentence_transformers.quantize_embeddings(…, precision="int8")`. Queries are not
    quantised: the inner product of a query with the middle of a code's step is ⟨q, low + 128.5 · step⟩ + ⟨q · step,
    code⟩, the first term the same for all vectors.

    Args:
        rescore: for a search for k, `rescore` · k candidates by code are rescored by their vectors.
    """

    exact: ClassVar[bool] = False
    rescore: Count = 4

    def build(self, vectors: Vectors, id_order: npt.NDArray[np.int32], context: Context) -> Coded:
        """See `Index.build`; the vectors are read twice, block by block."""
        low, step = ranges(vectors)
        codes = np.empty((len(vectors), vectors.dimension), np.int8)
        for start in range(0, len(vectors), BLOCK):
            stop = min(start + BLOCK, len(vectors))
            codes[start:stop] = coded(vectors.block(start, stop), low, step)

        def nearness(queries: Floats) -> Floats:
            scaled = queries * step
            near = np.empty((len(queries), len(codes)), np.float32)
            for start in range(0, len(codes), BLOCK):
                near[:, start : start + BLOCK] = scaled @ codes[start : start + BLOCK].T.astype(np.float32)
            return near

        return Coded(vectors, codes.nbytes + low.nbytes + step.nbytes, nearness, id_order, self.rescore)


def ranges(vectors: Vectors) -> tuple[Floats, Floats]:
    """(D,) lowest value and (D,) step of each dimension; a step of 0 if all values are equal."""
    lowest, highest = [], []
    for start in range(0, len(vectors), BLOCK):
        block = vectors.block(start, min(start + BLOCK, len(vectors)))
        lowest.append(block.min(axis=0))
        highest.append(block.max(axis=0))
    low, high = np.min(lowest, axis=0), np.max(highest, axis=0)
    return low, (high - low) / np.float32(LEVELS)


def coded(block: Floats, low: Floats, step: Floats) -> npt.NDArray[np.int8]:
    """(n, D) codes from −128 to 127."""
    steps = np.floor((block - low) / np.where(step > 0, step, np.float32(1)))
    return (np.clip(steps, 0, LEVELS) - 128).astype(np.int8)
