"""The way from a lesson to a saved model: what is shown before the first step, and what is saved."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.data.dataset import Dataset
from harness.recipes import RECIPES
from harness.rows import parse_method
from harness.runtime.context import Context
from harness.training import fine_tuning, loop
from harness.training.dev import Pool


@pytest.mark.parametrize("on_dev", [True, False])
def test_a_lesson_is_announced_before_the_first_step_and_the_model_is_saved(
    small: Dataset, tiny_encoder: Path, context: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, on_dev: bool
) -> None:
    from harness.methods.dense import Dense
    from harness.models.encoder import open_encoder
    from harness.training.base import EncoderBase

    dense = Dense(model=str(tiny_encoder))
    base = EncoderBase(open_encoder(dense._encoder_settings(), context), [parse_method("bm25")], dense)
    recipe = RECIPES.get("supervised")(budget="smoke")
    order: list[str] = []
    train = loop.train

    def training(*given: object, **more: object) -> object:
        order.append("trained")
        return train(*given, **more)  # type: ignore[arg-type]

    def announce(pool: Pool | None) -> None:
        order.append("announced")
        assert (pool is not None) is on_dev

    monkeypatch.setattr(loop, "train", training)
    lesson = recipe.lesson(base, small.train, context)
    places = (tmp_path / "model", tmp_path / "checkpoints")
    report = fine_tuning.fine_tune(
        lesson, base, small.train, context, *places, name="a recipe", on_dev=on_dev, announce=announce
    )
    assert order == ["announced", "trained"]
    assert (places[0] / "model.safetensors").is_file()
    assert (report.dev_pool is not None) is on_dev
