"""Outputs that are not numbers are refused before they are cached."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from harness.base.errors import ModelError


def check_finite(model: str, side: str, texts: Sequence[str], rows: Sequence[np.ndarray]) -> None:
    """Checks the outputs of texts.

    Args:
        model: its name and precision, for the message.
        side: `query` or `document`.
        texts: N texts.
        rows: N vectors or matrices.

    Raises:
        ModelError: a value is NaN or infinite; shows the first such text.
    """
    for text, row in zip(texts, rows, strict=True):
        if not np.isfinite(row).all():
            raise ModelError(
                f"{model} gave values that are not numbers (NaN or infinity) for a {side}, first for {text[:80]!r}. "
                'Try precision="fp32"; if that does not help, the weights are damaged: download the model again.'
            )
