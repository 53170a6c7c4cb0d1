from __future__ import annotations

import pytest
import torch

from harness.losses._towards_start import towards_start


class Zero(torch.nn.Module):
    def forward(self, features: object, labels: object) -> torch.Tensor:
        return torch.zeros(())


def test_it_is_the_squared_distance_from_the_weights_it_was_made_with() -> None:
    model = torch.nn.Linear(3, 2)
    model.bias.requires_grad_(False)
    loss = towards_start(Zero(), model, 0.5)
    assert loss([], None).item() == 0
    with torch.no_grad():
        model.weight.add_(torch.arange(6.0).view(2, 3))
        model.bias.add_(9)  # it is not trained
    value = loss([], None)
    assert value.item() == pytest.approx(0.5 * (0 + 1 + 4 + 9 + 16 + 25), rel=1e-5)
    value.backward()
    assert model.weight.grad is not None
    assert model.weight.grad.flatten().tolist() == pytest.approx([0, 1, 2, 3, 4, 5], abs=1e-5)


def test_the_start_is_not_stored_with_checkpoints() -> None:
    model = torch.nn.Linear(3, 2)
    assert set(towards_start(Zero(), model, 0.5).state_dict()) == {"model.weight", "model.bias"}
