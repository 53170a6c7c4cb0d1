"""Recipes: ways of fine-tuning a model to a collection, one per file.

A recipe is a frozen dataclass of settings. `lesson` turns what a `TrainView` holds into examples, a loss and a
schedule; the one loop (`harness.training.loop`) trains on them, chooses the checkpoint on dev, and goes on after a
kill. The result is cached as an ordinary sentence-transformers folder (`harness.training.trained_models`), so that the
same recipe on the same data with the same seed is never trained twice. A row of the board is a method plus recipes
(`harness.training.trained`): `dense+supervised`, or one after the other, `dense+contrastive_tension+supervised`.

To add one: a file here with one frozen dataclass that derives from `Recipe` (from
`harness.training.from_gold.FromGold`, if it learns from gold pairs with mined negatives), and
`tests/recipes/test_<file>.py`; the contract tests, `harness list` and the command line find it by its file's name.
"""

from __future__ import annotations

from harness.choices.room import Room
from harness.training.recipe import Need as Need
from harness.training.recipe import Recipe as Recipe
from harness.training.recipe import supervision as supervision
from harness.training.recipe import trains as trains
from harness.training.trained import with_recipes

RECIPES: Room[Recipe] = Room(__name__, Recipe, "recipe", with_recipes)  # type: ignore[type-abstract]
