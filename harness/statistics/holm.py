"""Many contrasts at once: p-values that stay honest together."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def holm(p_values: Sequence[float]) -> list[float]:
    """p-values adjusted for the number of contrasts, in the order given.

    The i-th smallest of m is multiplied by m − i + 1 and made no smaller than the one before. Rejecting those at most α keeps
    the chance of any false rejection at most α, whatever the dependence. Source: Holm (1979).
    """
    p = np.asarray(p_values, np.float64)
    order = np.argsort(p, kind="stable")
    stepped = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(stepped, 1.0)
    return [float(value) for value in adjusted]
