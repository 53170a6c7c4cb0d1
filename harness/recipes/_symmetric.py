"""Symmetric cross-entropy over a large batch, with a temperature that is learnt."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

LEARNT = "log_scale"
"""Name of the weight that the temperature is computed from."""
SCALE_RATE = 1e-2
"""Its learning rate: at that of an encoder it would not move in a few hundred steps."""
MOST = 100.0
"""The largest scale, as in CLIP (Radford et al., 2103.00020, section 2.5)."""


def symmetric_loss(model: Any, similarity: Mapping[str, Any], mini_batch: int, *, learnt: bool) -> torch.nn.Module:
    """Softmax cross-entropy of each query over the batch's documents and of each document over its queries, the mean of
    both, by gradient caching.

    Args:
        model: a sentence-transformers model.
        similarity: `similarity_fct` and `scale`, the factor of the similarities.
        mini_batch: texts that go through the model at once.
        learnt: whether the scale is learnt, from the given one on and up to `MOST`.
    """
    import torch
    from sentence_transformers.sentence_transformer.losses import CachedMultipleNegativesRankingLoss

    class Symmetric(CachedMultipleNegativesRankingLoss):
        def __init__(self) -> None:
            super().__init__(
                model,
                **similarity,
                mini_batch_size=mini_batch,
                directions=("query_to_doc", "doc_to_query"),
                partition_mode="per_direction",
            )

    class Learnt(Symmetric):
        def __init__(self) -> None:
            super().__init__()
            # Its logarithm is learnt: the scale stays above 0, and a step changes it by a share.
            self.log_scale = torch.nn.Parameter(torch.tensor(math.log(similarity["scale"])))

        @property
        def scale(self) -> torch.Tensor:  # type: ignore[override]  # it is only multiplied with
            return self.log_scale.exp().clamp(max=MOST)

    return Learnt() if learnt else Symmetric()


def scale_of(loss: Any) -> float:
    """The scale that a symmetric loss has now."""
    import torch

    with torch.no_grad():
        return round(float(loss.scale), 3)
