from __future__ import annotations

from pathlib import Path

import pytest

from harness.base.errors import SettingError
from harness.data.dataset import TrainView
from harness.methods.dense import Dense
from harness.recipes.gpl import GPL
from harness.recipes.qgen import QGen
from harness.runtime.context import Context
from harness.training.export import export_tuples
from harness.training.trained import with_recipes


def test_the_tuples_of_the_last_recipe_are_written(
    view: TrainView, tiny_encoder: Path, context: Context, tmp_path: Path
) -> None:
    dense = Dense(str(tiny_encoder))
    row = with_recipes(dense, (GPL(budget="smoke", teacher=dense),))
    tuples = export_tuples(row, view, tmp_path / "tuples.jsonl", context)
    assert len((tmp_path / "tuples.jsonl").read_text(encoding="utf-8").splitlines()) == len(tuples) > 0


def test_only_a_row_with_gpl_makes_tuples(
    view: TrainView, tiny_encoder: Path, context: Context, tmp_path: Path
) -> None:
    dense = Dense(str(tiny_encoder))
    for row in (dense, with_recipes(dense, (QGen(),))):
        with pytest.raises(SettingError, match="makes no tuples; give a row whose last recipe is gpl"):
            export_tuples(row, view, tmp_path / "x", context)
