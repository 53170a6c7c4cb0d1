from __future__ import annotations

import pytest

from harness.data.dataset import TrainView
from harness.methods import DEV_LABELS, NO_LABELS, TRAIN_LABELS
from harness.recipes import Recipe
from harness.recipes.contrastive_tension import ContrastiveTension
from harness.recipes.cross_encoder import CrossEncoder
from harness.recipes.frozen_head import FrozenHead
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


@pytest.mark.parametrize("recipe", [Supervised, ContrastiveTension])
def test_tokens_are_the_length_of_a_training_whatever_the_budget_says(recipe: type[Recipe]) -> None:
    for budget in ("smoke", "small"):
        schedule = recipe(budget=budget, batch=8, tokens=8 * 50 * 100).schedule()  # type: ignore[arg-type]
        assert schedule.total(20, 50.0) == 100, "40 passes over 20 examples"
        assert schedule.total(2, 50.0) < 20, "no more than 50 passes"
    both = recipe(tokens=8 * 50 * 100, epochs=2, batch=8).schedule()
    assert both.total(20, 50.0) < 20, "whichever ends first"
    assert both.total(8000, 50.0) == 100


def test_an_index_is_built_again_where_vectors_of_documents_change() -> None:
    assert [Supervised().new_index(), FrozenHead().new_index(), FrozenHead(sides="query").new_index()] == [
        True,
        True,
        False,
    ]
    assert not CrossEncoder().new_index()


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
