"""The work of a transformer and the peak rate of the machine, to see how close a model comes to the limit."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any


def products(config: Any, lengths: Sequence[int]) -> float:
    """GFLOP of a transformer's layers for texts of given lengths, without padding.

    Of each layer and text of L tokens: four projections 8·L·d², the feed-forward 4·L·d·m, attention 4·L²·d, for a
    hidden size d and an intermediate size m; a multiplication and an addition count as two. Embeddings, norms and
    softmax do not count.

    Args:
        config: with `hidden_size`, `intermediate_size` and `num_hidden_layers`, as transformers' configurations of
            encoders.
        lengths: tokens of each text.
    """
    d, m = config.hidden_size, config.intermediate_size
    of_texts = (length * (8 * d * d + 4 * d * m) + 4 * length * length * d for length in lengths)
    return float(config.num_hidden_layers * sum(of_texts)) / 1e9


def peak(precision: str, size: int = 1024, rounds: int = 100) -> float:
    """The machine's best rate in GFLOP/s: the product of two `size` × `size` matrices by torch, on its threads.

    Args:
        precision: `fp32` or `bf16`.
        size: rows and columns.
        rounds: number of tries; the best counts.
    """
    import torch

    dtype = torch.float32 if precision == "fp32" else torch.bfloat16
    left, right = torch.ones(size, size, dtype=dtype), torch.ones(size, size, dtype=dtype)
    best = float("inf")
    for _ in range(rounds):
        started = time.perf_counter()
        left @ right
        best = min(best, time.perf_counter() - started)
    return 2 * size**3 / best / 1e9
