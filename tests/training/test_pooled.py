"""Pooled vectors: what normalises at the end is taken off, and put back as it was."""

from __future__ import annotations

from pathlib import Path

from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer

from harness.training.pooled import Removed, put_back, without_normalisation


def kinds(model: SentenceTransformer) -> list[str]:
    return [type(module).__name__ for module in model]


def test_a_final_normalisation_is_taken_off_and_put_back(tiny_encoder: Path) -> None:
    modules = [Transformer(str(tiny_encoder)), Pooling(32, "mean"), Normalize()]
    model, removed = SentenceTransformer(modules=modules, device="cpu"), Removed()
    names = [name for name, _ in model.named_children()]
    without_normalisation(model, removed)
    assert kinds(model) == ["Transformer", "Pooling"]
    put_back(model, removed)
    assert kinds(model) == ["Transformer", "Pooling", "Normalize"]
    assert [name for name, _ in model.named_children()] == names


def test_a_model_without_one_stays_as_it_is(tiny_encoder: Path) -> None:
    model, removed = SentenceTransformer(str(tiny_encoder), device="cpu"), Removed()
    without_normalisation(model, removed)
    assert removed == []
    assert kinds(model) == ["Transformer", "Pooling"]
