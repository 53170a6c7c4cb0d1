"""A loss with a pull of the weights towards those that training starts from."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch


def towards_start(loss: Any, model: Any, weight: float) -> Any:
    """A loss plus `weight` times the squared distance of the model's weights from those it has now.

    Source: Li, Grandvalet and Davoine, "Explicit Inductive Bias for Transfer Learning with Convolutional Networks"
    (1802.01483), L2-SP. Weight decay pulls towards 0 instead, away from what the model already knows.

    Args:
        loss: of sentence-transformers' kind; the result has it as `loss`.
        model: its model.
        weight: of the squared distance.
    """
    import torch

    class TowardsStart(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.loss, self.model = loss, model
            # Not buffers: a resumed run makes this before it loads its checkpoint, so they need not be stored.
            self._start = [(each, each.detach().clone()) for each in model.parameters() if each.requires_grad]

        def forward(self, sentence_features: Iterable[dict[str, torch.Tensor]], labels: torch.Tensor) -> torch.Tensor:
            value: torch.Tensor = self.loss(sentence_features, labels)
            for now, start in self._start:
                value = value + weight * (now - start).square().sum()
            return value

        def get_config_dict(self) -> dict[str, Any]:
            return {"weight": weight}

    return TowardsStart()
