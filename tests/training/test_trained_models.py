from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from harness.base.errors import SettingError
from harness.cache.folders import Cache
from harness.data.dataset import TrainView
from harness.leaks.history import read_history
from harness.methods.dense import Dense
from harness.models.encoder import Encoder
from harness.recipes.cross_encoder import CrossEncoder
from harness.recipes.supervised import Supervised
from harness.rows import parse_method
from harness.runtime.context import Context
from harness.training import loop
from harness.training.base import EncoderBase
from harness.training.lesson import Report
from harness.training.trained_models import MODEL, _without_folders, trained_model, trained_weights


def test_a_model_is_trained_once_and_its_second_use_saves_the_time_of_the_first(
    encoder: Encoder, tiny_encoder: Path, view: TrainView, context: Context
) -> None:
    recipe = Supervised(budget="smoke")
    base = EncoderBase(encoder, [parse_method("bm25")], Dense(model=str(tiny_encoder)))
    first = trained_model(recipe, base, view, context)
    assert (first.folder.name, first.supervision) == (MODEL, "train labels")
    later = Context(cache=Cache(context.cache.root))
    assert trained_model(recipe, base, view, later) == first
    assert trained_model(recipe, base, view, Context(cache=later.cache, seed=1)).folder != first.folder


def test_settings_of_delivery_share_one_training(
    encoder: Encoder, tiny_encoder: Path, view: TrainView, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`average` only mixes the weights after the last step: three settings take one training, and give what each
    gives by itself.
    """
    runs: list[str] = []
    train = loop.train
    monkeypatch.setattr(loop, "train", lambda *given, **more: (runs.append("run"), train(*given, **more))[1])

    def folder(average: float | None, context: Context, choose: str = "last") -> Path:
        recipe = Supervised(budget="smoke", average=average, choose=choose, learning_rate=1e-2)  # type: ignore[arg-type]
        base = EncoderBase(encoder, [parse_method("bm25")], Dense(model=str(tiny_encoder)))
        return trained_model(recipe, base, view, context).folder

    def weights(place: Path) -> dict[str, Any]:
        return load_file(place / "model.safetensors")

    shared = Context(cache=Cache(tmp_path / "shared"))
    whole, half, default = (folder(average, shared) for average in (1.0, 0.5, None))
    assert (len(runs), len({whole, half, default})) == (1, 3)
    start, trained, mixed = weights(tiny_encoder), weights(whole), weights(half)
    assert any(not torch.equal(start[name], trained[name]) for name in start)
    for name, value in mixed.items():
        assert torch.equal(value, start[name] + 0.5 * (trained[name] - start[name])), name
    alone = folder(0.5, Context(cache=Cache(tmp_path / "alone")))
    assert len(runs) == 2
    assert all(torch.equal(value, mixed[name]) for name, value in weights(alone).items())
    # The last checkpoint is another training than the best one, and a head shares nothing.
    folder(1.0, shared, choose="dev")
    assert len(runs) == 3


def test_weights_that_are_delivered_as_they_are_take_no_further_space_and_have_the_history(
    encoder: Encoder, tiny_encoder: Path, view: TrainView, context: Context
) -> None:
    base = EncoderBase(encoder, [parse_method("bm25")], Dense(model=str(tiny_encoder)))
    recipe = Supervised(budget="smoke", average=1.0, choose="last")
    model = trained_model(recipe, base, view, context)
    stored = trained_weights(recipe, base, view, context)
    one, other = (place / "model.safetensors" for place in (model.folder, stored.folder))
    assert one.samefile(other)
    assert (model.report.seconds, model.report.loss) == (stored.report.seconds, stored.report.loss)
    history = read_history(model.folder)
    assert history is not None
    assert history == read_history(stored.folder)
    assert view.train is not None
    assert {query.text for query in history.queries} == set(view.train.queries.texts)


def test_a_recipe_for_another_kind_of_model_is_refused_with_the_row_to_write(
    encoder: Encoder, view: TrainView, context: Context
) -> None:
    base = EncoderBase(encoder, [], parse_method("bm25"))
    with pytest.raises(
        SettingError, match=r"trains a cross-encoder, not an encoder; write cross_encoder\+cross_encoder"
    ):
        trained_model(CrossEncoder(), base, view, context)


def test_a_short_name_that_is_part_of_the_full_one_is_left_alone_and_a_folder_is_called_by_its_model(
    tmp_path: Path,
) -> None:
    base: Any = SimpleNamespace(weights=str(tmp_path), source="all-tiny", name="owner/all-tiny")
    report = Report(
        1, 1, 1.0, 0.0, {}, "fp32", "cpu", facts={"judge": f'dense(model="{tmp_path}")', "guide": "owner/all-tiny"}
    )
    facts = _without_folders(report, base)["facts"]
    assert facts == {"judge": 'dense(model="owner/all-tiny")', "guide": "owner/all-tiny"}
