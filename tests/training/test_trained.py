from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.base.errors import SettingError
from harness.data.dataset import TrainView
from harness.methods import fit
from harness.methods.bm25 import BM25
from harness.methods.dense import Dense
from harness.recipes.contrastive_tension import ContrastiveTension
from harness.recipes.gpl import GPL
from harness.recipes.supervised import Supervised
from harness.runtime.context import Context
from harness.training import trained
from harness.training.trained import Trained, with_recipes


def test_only_what_has_a_model_is_trained_and_only_by_a_recipe() -> None:
    with pytest.raises(SettingError, match="bm25 is not trainable"):
        with_recipes(BM25(), (Supervised(),))
    with pytest.raises(SettingError, match="needs a recipe"):
        Trained(Dense(), ())
    assert with_recipes(Dense(), ()) == Dense()
    assert with_recipes(with_recipes(Dense(), (GPL(),)), (Supervised(),)) == Trained(Dense(), (GPL(), Supervised()))


def test_it_is_named_and_described_as_the_method_with_its_recipes_in_their_place() -> None:
    row = Trained(Dense(dimensions=8), (Supervised(),))
    settings = row.settings()
    assert row.name() == "dense"
    assert list(settings)[-2:] == ["dimensions", "recipes"]
    assert settings["recipes"] == [{"name": "supervised", **Supervised().settings()}]
    assert Dense().settings()["recipes"] == []
    assert str(row) == "dense(dimensions=8)+supervised"
    assert row.full() == row.untrained.full().replace("recipes=()", f"recipes=({Supervised().full()},)")


def test_the_method_is_a_part_of_it_and_no_step_of_its_own() -> None:
    row = Trained(Dense(), (Supervised(),))
    assert list(row.parts()) == [Dense(), Supervised()]
    assert list(row.nested()) == []
    assert row.encoding() is row


def test_its_inputs_are_those_of_the_method_and_of_the_recipes(
    tiny_encoder: Path, tiny_cross_encoder: Path, context: Context
) -> None:
    from harness.methods.cross_encoder import CrossEncoder

    teacher = CrossEncoder(str(tiny_cross_encoder))
    row = Trained(Dense(str(tiny_encoder)), (GPL(teacher=teacher),))
    assert row.inputs(context) == Dense(str(tiny_encoder)).inputs(context) | teacher.inputs(context)


@pytest.mark.parametrize("kind", ["dense", "cross_encoder", "sparse", "late"])
def test_each_recipe_starts_from_the_last_ones_model_and_is_judged_by_the_row_before_it(
    kind: str,
    tiny_models: tuple[Path, Path],
    tiny_ragged: tuple[Path, Path],
    view: TrainView,
    context: Context,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from harness.rows import parse_method

    folder = dict(zip(("dense", "cross_encoder", "sparse", "late"), (*tiny_models, *tiny_ragged), strict=True))[kind]
    recipe = {"dense": "supervised", "sparse": "splade", "late": "colbert"}.get(kind, kind)
    row = parse_method(f'{kind}(model="{folder}")+{recipe}(budget="smoke")+{recipe}(budget="smoke", queries=9)')
    assert isinstance(row, Trained)
    seen: list[tuple[str, Any]] = []
    models = []
    real = trained.trained_model

    def spied(recipe: Any, base: Any, *more: Any) -> Any:
        seen.append((base.weights, base.untrained))
        models.append(real(recipe, base, *more))
        return models[-1]

    monkeypatch.setattr(trained, "trained_model", spied)
    fitted = fit(row, view, context)
    steps = [(str(folder), row.untrained), (str(models[0].folder), Trained(row.method, row.recipes[:1]))]
    assert list(dict.fromkeys(seen)) == steps  # the row before the last recipe is fitted as a judge too
    assert fitted.models == (models[-1].folder,)
    assert [told["recipe"] for told in fitted.resolved["training"]] == [recipe.full() for recipe in row.recipes]
    assert fitted.supervision == "train labels"


def test_a_row_that_shares_its_first_recipe_takes_that_model_from_the_cache(
    tiny_encoder: Path, view: TrainView, context: Context
) -> None:
    first = ContrastiveTension(budget="smoke")
    fit(Trained(Dense(str(tiny_encoder)), (first,)), view, context)
    kept = set((context.cache.root / "models").iterdir())
    fit(Trained(Dense(str(tiny_encoder)), (first, Supervised(budget="smoke"))), view, context)
    assert len(set((context.cache.root / "models").iterdir()) - kept) == 1
