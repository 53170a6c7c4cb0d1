"""Batches of columns of documents in which one document may be in several places."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

NO_DOCUMENT = -1
"""The number in a label that stands for no document."""


def counting(numbers: torch.Tensor) -> torch.Tensor:
    """(Q, C) booleans: whether there is a document, and it is there for the first time, column by column.

    Args:
        numbers: (Q, C) whole numbers of documents, −1 for none.
    """
    flat = numbers.T.reshape(-1)
    is_repeated = (flat[:, None] == flat).tril(diagonal=-1).any(dim=1)
    return ((flat != NO_DOCUMENT) & ~is_repeated).view(numbers.T.shape).T


def encoded(model: Any, column: dict[str, Any], chosen: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    """(Q, dimension) vectors of a column's texts; only the chosen ones are encoded, the others are 0.

    Args:
        model: an encoder of sentence-transformers.
        column: features of Q texts.
        chosen: (Q,) booleans.
        like: (Q, dimension) vectors of the same encoder.
    """
    import torch

    size = len(chosen)
    where = chosen.to(like.device).nonzero()[:, 0]
    whole = torch.zeros_like(like)
    if not len(where):
        return whole
    features = {}
    for name, value in column.items():
        is_per_text = isinstance(value, torch.Tensor) and value.dim() > 0 and len(value) == size
        features[name] = value[where] if is_per_text else value
    vectors: torch.Tensor = model(features)["sentence_embedding"]
    return whole.index_put((where,), vectors.to(whole.dtype))


def non_trivial_share(
    distances: torch.Tensor, positive: torch.Tensor, valid: torch.Tensor, alpha: float, margin: float
) -> torch.Tensor:
    """Share of the (query, document) pairs that are on the wrong side of their radius: only they have a gradient.

    Args:
        distances: (Q, D).
        positive: (Q, D) booleans, whether the document is relevant for the query.
        valid: (Q, D) booleans, whether the pair counts.
        alpha: the radius beyond which others must be.
        margin: how much less the radius of relevant documents is.
    """
    wrong = ((distances > alpha - margin) & positive) | ((distances < alpha) & ~positive)
    return (wrong & valid).sum() / valid.sum().clamp(min=1)
