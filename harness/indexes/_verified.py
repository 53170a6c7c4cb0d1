"""Exact rankings from a library's float32 search: it is asked for more than k until no vector left out can count.

The library's scores are float32 sums that round differently from one vector to the next, so that they cannot order
vectors that are nearly equally near; `harness.indexes.inner` does.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from harness.data.ranking import Floats, Ints, TopK
from harness.indexes import Vectors, rescored

BLOCK = 8192
MARGIN = 16
"""Candidates beyond k of the first search."""


def greatest_length(vectors: Vectors) -> float:
    """The greatest length (L2 norm) of a vector, read in blocks."""
    longest = 0.0
    for start in range(0, len(vectors), BLOCK):
        block = vectors.block(start, min(start + BLOCK, len(vectors)))
        longest = max(longest, float(np.sqrt(np.einsum("ij,ij->i", block, block).max())))
    return longest


def slack_of(queries: Floats, dimension: int, longest: float) -> npt.NDArray[np.float64]:
    """(Q,) how far apart two float32 scores of a query may be although the true ones are equal.

    A float32 sum of D products is off by at most D · 2⁻²⁴ · |q| · |v|, and so is the k-th score.
    """
    lengths: npt.NDArray[np.float64] = np.linalg.norm(queries.astype(np.float64), axis=1)
    return (dimension + 4) * 2.0**-23 * longest * lengths


def verified(
    nearest: Callable[[Floats, int], tuple[Ints, Floats]],
    vectors: Vectors,
    queries: Floats,
    id_order: npt.NDArray[np.int32],
    k: int,
    longest: float,
) -> TopK:
    """The k best of each query, (Q, k), in the documented order.

    Args:
        nearest: (Q, D) queries and W → (Q, min(W, N)) rows and float32 scores of the best, in descending order.
        vectors: (N, D).
        queries: (Q, D).
        id_order: (N,) breaks ties.
        k: depth.
        longest: `greatest_length` of the vectors.
    """
    slack = slack_of(queries, vectors.dimension, longest)
    candidates: list[Ints] = [np.zeros(0, np.int64)] * len(queries)
    remaining, width = np.arange(len(queries)), k + MARGIN
    while len(remaining):
        rows, scores = nearest(queries[remaining], width)
        width = rows.shape[1]
        if width <= k or width == len(vectors):
            done = np.full(len(remaining), True)
        else:
            done = scores[:, -1] < scores[:, k - 1] - slack[remaining]
        for query, found in zip(remaining[done], rows[done], strict=True):
            candidates[query] = found
        remaining, width = remaining[~done], 2 * width
    return rescored(vectors, queries, candidates, id_order, k)
