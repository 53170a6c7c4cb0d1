from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from harness.base.errors import SettingError
from harness.cache.folders import Cache
from harness.data.dataset import TrainView
from harness.methods.dense import Dense
from harness.models.encoder import Encoder
from harness.recipes.cross_encoder import CrossEncoder
from harness.recipes.supervised import Supervised
from harness.rows import parse_method
from harness.runtime.context import Context
from harness.training.base import EncoderBase
from harness.training.lesson import Report
from harness.training.trained_models import MODEL, _without_folders, trained_model


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
