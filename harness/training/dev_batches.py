"""How many texts go at once through a model that is being trained, when it is measured on dev."""

from __future__ import annotations

from typing import Final

from harness.models.batching import batch_tokens
from harness.runtime.context import Context

CPU_TEXTS: Final = 64
"""Texts of a batch on a CPU. A model in training computes them without padding there; in batches of a few short texts,
as other engines want them, a token takes three times as long.
"""
CPU_PAIRS: Final = 16
"""The same of pairs, which are longer."""


def batch_size(context: Context, device: str, length: int, on_cpu: int) -> int:
    """Texts of a batch.

    Args:
        context: its tokens of a batch, if they are set.
        device: of the model.
        length: tokens at which a text is cut.
        on_cpu: how many on a CPU, unless the context sets the tokens.
    """
    if device == "cpu" and context.batch_tokens is None:
        return on_cpu
    return max(1, batch_tokens(context, device) // length)
