"""sentence-transformers' losses of single pairs and triplets, with the share of examples that have a gradient."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.losses._curve import curve

if TYPE_CHECKING:
    import torch


def triplets(model: Any, margin: float) -> Any:
    """Triplet loss of cosine distances; its `non_trivial` has, by step, the share of triplets whose loss is above 0."""
    import torch
    from sentence_transformers.sentence_transformer.losses import TripletDistanceMetric, TripletLoss

    class Triplets(TripletLoss):
        def __init__(self) -> None:
            super().__init__(model, distance_metric=TripletDistanceMetric.COSINE, triplet_margin=margin)
            self.non_trivial = curve()

        def compute_loss_from_embeddings(self, embeddings: list[torch.Tensor], labels: Any) -> torch.Tensor:
            query, positive, negative = embeddings
            with torch.no_grad():
                lead = self.distance_metric(query, negative) - self.distance_metric(query, positive)
                share = (lead < margin).float().mean()
            self.non_trivial.add(share)
            return super().compute_loss_from_embeddings(embeddings, labels)

    return Triplets()


def pairs(model: Any, margin: float) -> Any:
    """Contrastive loss of cosine distances; its `non_trivial` has, by step, the share of pairs with an irrelevant
    document whose loss is above 0. That of a relevant one always is.
    """
    import torch
    from sentence_transformers.sentence_transformer.losses import ContrastiveLoss, SiameseDistanceMetric

    class Pairs(ContrastiveLoss):
        def __init__(self) -> None:
            super().__init__(model, distance_metric=SiameseDistanceMetric.COSINE_DISTANCE, margin=margin)
            self.non_trivial = curve()

        def compute_loss_from_embeddings(self, embeddings: list[torch.Tensor], labels: torch.Tensor) -> torch.Tensor:
            with torch.no_grad():
                distances = self.distance_metric(*embeddings)[labels.view(-1) == 0]
            if len(distances):
                self.non_trivial.add((distances < margin).float().mean())
            return super().compute_loss_from_embeddings(embeddings, labels)

    return Pairs()
