from __future__ import annotations

import pytest
import torch

from harness.losses._pairwise import pairs, triplets


def at(*cosines: float) -> torch.Tensor:
    """Unit vectors with these cosines with the first axis."""
    return torch.tensor([[c, (1 - c * c) ** 0.5] for c in cosines], requires_grad=True)


def test_a_triplet_teaches_if_the_relevant_document_does_not_lead_by_the_margin() -> None:
    loss = triplets(torch.nn.Identity(), 0.2)
    query, positive, negative = at(1, 1, 1, 1), at(0.8, 0.8, 0.5, 0.5), at(0.5, 0.7, 0.5, 0.9)
    value = loss.compute_loss_from_embeddings([query, positive, negative], None)
    assert value.item() == pytest.approx((0 + 0.1 + 0.2 + 0.6) / 4, abs=1e-5)
    assert loss.non_trivial.points() == [[1, 0.75]]


def test_an_irrelevant_pair_teaches_if_it_is_within_the_margin() -> None:
    loss = pairs(torch.nn.Identity(), 0.5)
    value = loss.compute_loss_from_embeddings([at(1, 1, 1, 1), at(0.9, 0.8, 0.4, 0.1)], torch.tensor([1.0, 0, 0, 0]))
    assert value.item() == pytest.approx(0.5 * (0.1**2 + 0.3**2) / 4, abs=1e-5)
    assert loss.non_trivial.points() == [[1, 0.3333]]
    loss.compute_loss_from_embeddings([at(1), at(0.9)], torch.tensor([1.0]))
    assert len(loss.non_trivial.points()) == 1  # a batch of relevant pairs only has no share
