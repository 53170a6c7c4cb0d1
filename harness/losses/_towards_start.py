"""A loss with a pull of the weights towards those that training starts from."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch


class TowardsStart(torch.nn.Module):
    """A loss plus `weight` times the squared distance of the model's weights from those it had when this was made.

    Source: Li, Grandvalet and Davoine, "Explicit Inductive Bias for Transfer Learning with Convolutional Networks"
    (1802.01483), L2-SP. Weight decay pulls towards 0 instead, away from what the model already knows.

    Args:
        loss: of sentence-transformers' kind.
        model: its model.
        weight: of the squared distance.
    """

    def __init__(self, loss: Any, model: Any, weight: float) -> None:
        super().__init__()
        self.loss, self.model, self.weight = loss, model, weight
        # Not buffers: a resumed run makes this before it loads its checkpoint, so they need not be stored.
        self._start = [(each, each.detach().clone()) for each in model.parameters() if each.requires_grad]

    def forward(self, sentence_features: Iterable[dict[str, torch.Tensor]], labels: torch.Tensor) -> torch.Tensor:
        """The loss with the pull."""
        value: torch.Tensor = self.loss(sentence_features, labels)
        for now, start in self._start:
            value = value + self.weight * (now - start).square().sum()
        return value

    def get_config_dict(self) -> dict[str, Any]:
        """Settings, for sentence-transformers."""
        return {"weight": self.weight}
