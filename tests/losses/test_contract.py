"""What holds for every file of the room."""

from __future__ import annotations

import dataclasses
import itertools
import json
from pathlib import Path

import pytest
import torch
from sentence_transformers import SentenceTransformer

from harness.choices.expression import parse
from harness.losses import LOSSES, Loss

TEXTS = [
    ["kala bero", "a longer question"],
    ["first text", "second text, longer"],
    ["third", "fourth"],
    ["fifth one", "sixth"],
]
LABELS = torch.tensor([[1, 2, 3], [4, 5, 1]])


@pytest.fixture(params=LOSSES.names())
def loss(request: pytest.FixtureRequest) -> Loss:
    return LOSSES.get(request.param)()


def test_a_loss_is_a_frozen_value_with_defaults_and_a_source(loss: Loss) -> None:
    rooms = {LOSSES.package: LOSSES}
    assert parse(str(loss), LOSSES, rooms) == loss
    assert parse(loss.full(), LOSSES, rooms) == loss
    assert "Source:" in (type(loss).__doc__ or "")
    field = dataclasses.fields(loss)[0].name  # type: ignore[arg-type]
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(loss, field, 1)


def test_every_setting_can_be_written_as_json_and_is_explained(loss: Loss) -> None:
    assert json.loads(json.dumps(loss.settings())) == loss.settings()
    for name in loss.settings():
        assert f"        {name}: " in (type(loss).__doc__ or "")


def test_a_loss_is_lowered_by_following_its_gradient(loss: Loss, tiny_encoder: Path) -> None:
    model = SentenceTransformer(str(tiny_encoder), device="cpu")
    module = loss.build(model)
    assert module.model is model

    def value() -> torch.Tensor:
        return module([model.preprocess(column) for column in TEXTS], LABELS)

    before = value()
    assert before.shape == ()
    assert before.isfinite()
    before.backward()
    gradients = [p.grad for p in model.parameters() if p.grad is not None]
    assert gradients
    assert all(g.isfinite().all() for g in gradients)
    assert any(g.abs().max() > 0 for g in gradients)
    torch.optim.SGD(model.parameters(), lr=1e-3).step()
    assert value() < before


def test_a_loss_falls_as_relevant_documents_move_towards_their_queries_and_rises_as_others_do(
    loss: Loss, tiny_encoder: Path
) -> None:
    module = loss.build(SentenceTransformer(str(tiny_encoder), device="cpu"))
    queries, relevant, other, *_ = torch.eye(8).split(2)

    def value(towards_relevant: float, towards_other: float) -> float:
        columns = [queries, relevant.lerp(queries, towards_relevant), other.lerp(queries, towards_other)]
        unit = [torch.nn.functional.normalize(column) for column in columns]
        return float(module.compute_loss_from_embeddings(unit, torch.tensor([[1, 2], [3, 4]])))

    steps = (0.0, 0.2, 0.4, 0.6)
    falling, rising = [value(step, 0.5) for step in steps[:3]], [value(0.2, step) for step in steps[1:]]
    assert all(later < before for before, later in itertools.pairwise(falling))
    assert all(later > before for before, later in itertools.pairwise(rising))


def test_columns_already_encoded_give_the_same_loss(loss: Loss, tiny_encoder: Path) -> None:
    model = SentenceTransformer(str(tiny_encoder), device="cpu")
    module = loss.build(model)
    vectors = [model(model.preprocess(column))["sentence_embedding"] for column in TEXTS]
    torch.testing.assert_close(
        module.compute_loss_from_embeddings(vectors, LABELS), module([model.preprocess(c) for c in TEXTS], LABELS)
    )
