"""How many texts go through a model at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harness.engines.torch import ACCELERATOR_TOKENS, CPU_TOKENS
from harness.runtime.context import Context


def batch_tokens(context: Context, device: str) -> int:
    """Tokens of a batch, padding included: as the context sets it, else what suits the kind of device.

    Small batches suit a CPU's caches, an accelerator wants large ones. The size changes only the last bits of a vector,
    so it is neither a setting of a method nor part of a key.
    """
    return context.batch_tokens or (CPU_TOKENS if device == "cpu" else ACCELERATOR_TOKENS)


def packed(lengths: Sequence[int], budget: int) -> Iterator[list[int]]:
    """Batches of positions, longest first, each of at most `budget` tokens with its padding (one item at least)."""
    order = sorted(range(len(lengths)), key=lambda i: (-lengths[i], i))
    start = 0
    while start < len(order):
        size = max(1, budget // max(1, lengths[order[start]]))
        yield order[start : start + size]
        start += size
