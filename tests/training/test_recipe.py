from __future__ import annotations

import pytest

from harness.data.dataset import TrainView
from harness.methods import DEV_LABELS, NO_LABELS, TRAIN_LABELS
from harness.recipes.gpl import GPL
from harness.recipes.supervised import Supervised
from harness.rows import parse_method
from harness.training.recipe import recipes_in, supervision, trains


def test_a_number_of_the_schedule_is_the_recipes_where_it_is_set_and_else_the_budgets() -> None:
    smoke = Supervised.schedules["smoke"]
    assert Supervised(budget="smoke").schedule() == smoke
    changed = Supervised(budget="smoke", epochs=2, batch=7).schedule()
    assert (changed.epochs, changed.steps, changed.batch) == (2, None, 7)
    assert changed.learning_rate == smoke.learning_rate


def test_the_recipes_of_a_row_are_found_wherever_they_are_but_not_those_inside_a_recipe() -> None:
    row = parse_method("hybrid(methods=(bm25, dense+gpl(teacher=cross_encoder+cross_encoder)+supervised))")
    assert [recipe.name() for recipe in recipes_in(row)] == ["gpl", "supervised"]
    assert trains(row)
    assert not trains(parse_method("bm25>>dense"))


@pytest.mark.parametrize(
    ("recipe", "labels"),
    [
        (Supervised(choose="last"), TRAIN_LABELS),
        (GPL(choose="last"), NO_LABELS),
        (GPL(), DEV_LABELS),
        (GPL(choose="last", teacher=parse_method("cross_encoder+cross_encoder")), TRAIN_LABELS),
    ],
)
def test_a_recipe_uses_its_own_labels_and_those_of_its_teacher(recipe: object, labels: str, view: TrainView) -> None:
    assert supervision(recipe, view) == labels  # type: ignore[arg-type]
