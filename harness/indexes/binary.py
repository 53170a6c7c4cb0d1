"""Vectors as one bit a dimension, compared by Hamming distance, the best rescored; needs no library."""

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

WORD = 8


@dataclass(frozen=True)
class Binary(Index):
    """One bit for each value, 1 if it is above 0; memory D / 8 bytes a vector.

    Source: Yamada, Asai, Hajishirzi, "Efficient Passage Retrieval with Hashing for Open-domain Question Answering" (ACL
    2021), section 3: candidates by Hamming distance, then reranking; here by the vectors themselves, and the signs are
    not trained. The bits are those of `sentence_transformers.quantize_embeddings(…, precision="ubinary")`.

    Args:
        rescore: for a search for k, `rescore` · k candidates by code are rescored by their vectors.
    """

    exact: ClassVar[bool] = False
    rescore: Count = 4

    def build(self, vectors: Vectors, id_order: npt.NDArray[np.int32], context: Context) -> Coded:
        """See `Index.build`."""
        starts = range(0, len(vectors), BLOCK)
        words = np.concatenate([_words(vectors.block(start, min(start + BLOCK, len(vectors)))) for start in starts])

        def nearness(queries: Floats) -> Floats:
            near = np.empty((len(queries), len(words)), np.float32)
            for query, row in zip(_words(queries), near, strict=True):
                row[:] = -np.bitwise_count(words ^ query).sum(axis=1, dtype=np.int32)
            return near

        return Coded(vectors, words.nbytes, nearness, id_order, self.rescore)


def bits(block: Floats) -> npt.NDArray[np.uint8]:
    """(n, ⌈D / 8⌉) packed bits: 1 where a value is above 0."""
    return np.packbits(block > 0, axis=1)


def _words(block: Floats) -> npt.NDArray[np.uint64]:
    """The bits in words of 64, padded with zeros."""
    packed = bits(block)
    return np.pad(packed, ((0, 0), (0, -packed.shape[1] % WORD))).view(np.uint64)
