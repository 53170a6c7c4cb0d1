"""Vectors cut to their first dimensions, for models that put the most important ones first."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from harness.base.errors import SettingError
from harness.data.ranking import Floats
from harness.indexes import Vectors


def cut(vectors: Floats, dimensions: int, normalise: bool) -> Floats:
    """(n, d) first d values of (n, D) vectors, of length 1 again with `normalise`; a vector of zeros stays one.

    Source: Kusupati et al., "Matryoshka Representation Learning" (NeurIPS 2022), section 3.
    """
    first = np.ascontiguousarray(vectors[:, :dimensions])
    if not normalise:
        return first
    lengths: Floats = np.linalg.norm(first, axis=1, keepdims=True).astype(np.float32)
    lengths[lengths == 0] = 1
    return first / lengths


class Truncated:
    """(N, d) vectors of the first d of D dimensions, cut when they are read; the cached ones keep all dimensions.

    Args:
        whole: (N, D) vectors.
        dimensions: d.
        normalise: whether to scale each to length 1 again.

    Raises:
        SettingError: the vectors have fewer dimensions.
    """

    def __init__(self, whole: Vectors, dimensions: int, normalise: bool) -> None:
        if len(whole) and dimensions > whole.dimension:
            raise SettingError(
                f"dense: dimensions must be at most {whole.dimension}, the number that the model has, not {dimensions}"
            )
        self._whole, self._dimensions, self._normalise = whole, dimensions, normalise

    def __len__(self) -> int:
        return len(self._whole)

    @property
    def dimension(self) -> int:
        """d; 0 if there are no vectors."""
        return min(self._dimensions, self._whole.dimension)

    def block(self, start: int, stop: int) -> Floats:
        """(stop − start, d) vectors."""
        return cut(self._whole.block(start, stop), self._dimensions, self._normalise)

    def take(self, rows: npt.NDArray[np.int64]) -> Floats:
        """(len(rows), d) vectors, in the order of `rows`."""
        return cut(self._whole.take(rows), self._dimensions, self._normalise)
