"""sentence-transformers' losses of single pairs and triplets, with the share of examples that have a gradient."""

from __future__ import annotations

from typing import Any

import torch
from sentence_transformers.sentence_transformer.losses import (
    ContrastiveLoss,
    SiameseDistanceMetric,
    TripletDistanceMetric,
    TripletLoss,
)

from harness.losses._curve import Curve


class Triplets(TripletLoss):
    """Triplet loss of cosine distances.

    Attributes:
        non_trivial: by step, the share of triplets whose loss is above 0.
    """

    def __init__(self, model: Any, margin: float) -> None:
        super().__init__(model, distance_metric=TripletDistanceMetric.COSINE, triplet_margin=margin)
        self.non_trivial = Curve()

    def compute_loss_from_embeddings(self, embeddings: list[torch.Tensor], labels: Any) -> torch.Tensor:
        """See `TripletLoss`."""
        query, positive, negative = embeddings
        with torch.no_grad():
            lead = self.distance_metric(query, negative) - self.distance_metric(query, positive)
            share = (lead < self.triplet_margin).float().mean()
        self.non_trivial.add(share)
        return super().compute_loss_from_embeddings(embeddings, labels)


class Pairs(ContrastiveLoss):
    """Contrastive loss of cosine distances.

    Attributes:
        non_trivial: by step, the share of pairs with an irrelevant document whose loss is above 0. That of a relevant
            one always is.
    """

    def __init__(self, model: Any, margin: float) -> None:
        super().__init__(model, distance_metric=SiameseDistanceMetric.COSINE_DISTANCE, margin=margin)
        self.non_trivial = Curve()

    def compute_loss_from_embeddings(self, embeddings: list[torch.Tensor], labels: torch.Tensor) -> torch.Tensor:
        """See `ContrastiveLoss`."""
        with torch.no_grad():
            distances = self.distance_metric(*embeddings)[labels.view(-1) == 0]
        if len(distances):
            self.non_trivial.add((distances < self.margin).float().mean())
        return super().compute_loss_from_embeddings(embeddings, labels)
