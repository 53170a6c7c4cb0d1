"""Equal trials: the same number of settings and the same length for every recipe, one of each chosen on dev."""

from __future__ import annotations

import pytest

from harness.base.errors import HarnessError
from harness.recipes import RECIPES, Recipe
from harness.rows import row_name
from harness.searches import points
from harness.sweep.equal import LENGTHS, RATES, equal_trials
from harness.training.recipe import recipes_in


def settings(spec: object) -> list[Recipe]:
    return [list(recipes_in(spec.method(point)))[-1] for point in points(spec.space, "grid")]  # type: ignore[attr-defined]


def test_every_recipe_of_encoders_gets_as_many_settings_of_the_same_lengths() -> None:
    specs = equal_trials("dense", [], ["x"], tokens=1000)
    names = {settings(spec)[0].name() for spec in specs}
    assert names == {name for name, recipe in RECIPES.usable() if recipe.trains == "encoder"} - {"soup"}
    for spec in specs:
        tried = settings(spec)
        assert len(set(tried)) == len(RATES) * len(LENGTHS)
        default = type(tried[0])().schedule()
        rates = [share * default.learning_rate for share in RATES]
        assert sorted({one.learning_rate for one in tried}) == pytest.approx(rates)
        if tried[0].frozen:
            assert {one.schedule().epochs for one in tried} == {share * default.epochs for share in LENGTHS}
        else:
            assert {one.schedule().tokens for one in tried} == {500, 1000}
            assert {one.schedule().steps for one in tried} == {None}
        assert [row_name(each) for each in spec.baselines] == ["dense"]


def test_a_named_recipe_keeps_its_other_settings_and_a_row_its_kind() -> None:
    (spec,) = equal_trials("dense", ["supervised(negatives=5)"], ["x"], ["bm25"], "R@100", 2)
    assert {one.negatives for one in settings(spec)} == {5}  # type: ignore[attr-defined]
    assert (spec.measure, spec.seeds, row_name(spec.baselines[0])) == ("R@100", 2, "bm25")
    (pairs,) = equal_trials("ce-contrastive", [], ["x"])
    assert settings(pairs)[0].trains == "cross_encoder"


@pytest.mark.parametrize(
    ("row", "recipes", "tokens", "message"),
    [
        ("bm25", [], 1000, r"bm25 has no model of its own to train: name a row that has, as dense"),
        ("dense", ["supervise"], 1000, r"unknown recipe 'supervise'; did you mean 'supervised'"),
        ("dense", [], 1, r"tokens must be 2 or more, not 1"),
    ],
)
def test_faults(row: str, recipes: list[str], tokens: int, message: str) -> None:
    with pytest.raises(HarnessError, match=message):
        equal_trials(row, recipes, ["x"], tokens=tokens)
