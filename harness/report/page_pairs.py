"""Which rows of a board are significantly better than which, as the page's scripts read it."""

from __future__ import annotations

from typing import Any

import numpy as np

from harness.compare.comparison import Comparison


def pairs(comparison: Comparison | None) -> dict[str, Any] | None:
    """Which row of a board is significantly better than which, JSON-safe; all other pairs are tied.

    Returns:
        `corrected`: for how many pairs, in words. `better`: for each row, by its place, the places of the rows that it
        is better than, as starts and ends (exclusive) of runs, for on most boards there are few.
    """
    if comparison is None:
        return None
    padded = np.pad(comparison.better.astype(np.int8), ((0, 0), (1, 1)))
    return {"corrected": comparison.corrected, "better": [np.flatnonzero(np.diff(row)).tolist() for row in padded]}
