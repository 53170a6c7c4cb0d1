"""A ranking loss on gold queries, and the margins of a teacher on all: the loss of `augmented_sbert`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Settings:
    """What the loss is built with.

    Args:
        similarity: (Q, dimension), (D, dimension) → (Q, D): what the encoder ranks by.
        scale: factor of the similarities.
        weight: of the margins' mean squared error, next to the cross-entropy.
        intercept: of the labels of margins between the first document and another, in scaled similarities.
        documents: how many numbers of documents there are.
        known: ascending `query · documents + document` of all pairs that are never negatives.
    """

    similarity: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
    scale: float
    weight: float
    intercept: float
    documents: int
    known: torch.Tensor


def gold_and_silver(model: Any, settings: Settings) -> Any:
    """Columns: queries, the better document of each, and C − 1 others, of which the last is silver, not judged.

    Labels: (B, 2 + 2C) numbers: the query's, whether its first document is gold (1) or silver (0), the numbers of its
    C documents, and the teacher's scores of them on the scale of the student's scaled similarities.

    The cross-entropy of the gold rows is over all documents of the batch but those that are never negatives of the
    query, and its own silver. The margins are those between any two documents of a row; where the teacher puts another
    document above a gold one it is wrong, and the margin is left out.
    """
    import torch

    class GoldAndSilver(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, sentence_features: Iterable[dict[str, torch.Tensor]], labels: torch.Tensor) -> torch.Tensor:
            vectors = [self.model(column)["sentence_embedding"] for column in sentence_features]
            return self.compute_loss_from_embeddings(vectors, labels)

        def compute_loss_from_embeddings(self, embeddings: list[torch.Tensor], labels: torch.Tensor) -> torch.Tensor:
            queries, *columns = embeddings
            size, count = len(queries), len(columns)
            labels = labels.to(queries.device)
            is_gold = labels[:, 1] > 0.5
            similarities = settings.scale * settings.similarity(queries, torch.cat(columns))  # column by column
            rows = torch.arange(size, device=queries.device)
            own = torch.stack([similarities[rows, place * size + rows] for place in range(count)], dim=1)
            loss = settings.weight * self._margins(own, labels[:, 2 + count :], is_gold)
            if is_gold.any():
                numbers = labels[:, 2 : 2 + count].T.reshape(-1).long()
                masked = self._never_negative(labels[:, 0].long(), numbers)
                masked[rows, (count - 1) * size + rows] = True
                masked[rows, rows] = False
                logits = similarities.masked_fill(masked, -torch.inf)
                loss = loss + torch.nn.functional.cross_entropy(logits[is_gold], rows[is_gold])
            return loss

        def _margins(self, own: torch.Tensor, teacher: torch.Tensor, is_gold: torch.Tensor) -> torch.Tensor:
            """Mean squared error of all margins between two documents of a row."""
            first, second = torch.triu_indices(own.shape[1], own.shape[1], 1, device=own.device)
            labels = teacher[:, first] - teacher[:, second]
            is_wrong = is_gold[:, None] & (first == 0) & (labels < 0)
            errors = own[:, first] - own[:, second] - labels - settings.intercept * (first == 0)
            mean: torch.Tensor = errors.square().masked_fill(is_wrong, 0).sum() / (~is_wrong).sum().clamp(min=1)
            return mean

        def _never_negative(self, queries: torch.Tensor, numbers: torch.Tensor) -> torch.Tensor:
            """(B, B·C) booleans."""
            keys = queries[:, None] * settings.documents + numbers
            return torch.isin(keys, settings.known.to(keys.device))

        def get_config_dict(self) -> dict[str, Any]:
            return {"scale": settings.scale, "weight": settings.weight}

    return GoldAndSilver()
