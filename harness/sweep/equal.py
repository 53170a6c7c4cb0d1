"""Equal trials: each recipe gets the same number of settings and the same length, and dev chooses one for each."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from harness.base.errors import SettingError
from harness.base.files import slug
from harness.choices.value import RECIPES as RECIPES_OF
from harness.recipes import RECIPES, Recipe
from harness.rows import parse_method
from harness.sweep.one_line import Line
from harness.sweep.space import RECIPE, ROW, trained
from harness.sweep.spec import Spec, spec_of
from harness.training.schedule import small

RATES: Final = (0.5, 1.0, 2.0)
"""Of the recipe's learning rate, that are tried."""
LENGTHS: Final = (0.5, 1.0)
"""Of the longest training, that are tried."""
TOKENS: Final = small().tokens or 0
"""Read in the longest training, if nothing else is asked: those of the budget `small`."""


def equal_trials(
    row: str,
    recipes: Sequence[str],
    datasets: Sequence[str],
    baselines: Sequence[str] = (),
    measure: str | None = None,
    seeds: int = 3,
    tokens: int = TOKENS,
) -> list[Spec]:
    """A sweep for each recipe: every learning rate of `RATES` with every length of `LENGTHS`.

    The length of a training is the number of tokens that it reads, the same for all recipes. A recipe that reads none,
    since it trains a layer on vectors that are there, gets shares of its passes over the examples.

    Args:
        row: what is trained, as `dense`.
        recipes: expressions; none takes every recipe that trains such a row.
        datasets: names of the collections; one setting of each recipe is chosen for each.
        baselines: rows that each chosen row is compared with; none takes the row as it is.
        measure: that chooses.
        seeds: training runs of each setting.
        tokens: read in the longest training.

    Raises:
        SettingError: the row cannot be trained, or a recipe does not train it.
    """
    if tokens < 2:
        raise SettingError(f"tokens must be 2 or more, not {tokens}")
    if not hasattr(parse_method(row), RECIPES_OF):
        raise SettingError(
            f"{row} has no model of its own to train: name a row that has, as dense, cross_encoder, sparse or late."
        )
    named = list(dict.fromkeys(recipes)) or _all_of(row)
    return [_spec(row, recipe, datasets, baselines or [row], measure, seeds, tokens) for recipe in named]


def _all_of(row: str) -> list[str]:
    """The recipes that train a row with their defaults, but for those that are several trainings of another."""
    found = []
    for name, recipe in RECIPES.usable():
        value: Any = trained(row, name)
        suits = recipe.trains == value.untrained.kind
        if suits and not any(isinstance(part, Recipe) for part in recipe().parts()):
            found.append(name)
    return found


def _last(row: str, recipe: str) -> Recipe:
    """The recipe as a value."""
    recipes: tuple[Recipe, ...] = getattr(trained(row, recipe), RECIPES_OF)
    return recipes[-1]


def _spec(
    row: str,
    recipe: str,
    datasets: Sequence[str],
    baselines: Sequence[str],
    measure: str | None,
    seeds: int,
    tokens: int,
) -> Spec:
    """The sweep over one recipe, as if a file said it."""
    last = _last(row, recipe)
    length, values = _lengths(last, tokens)
    rate = last.schedule().learning_rate
    rates = [float(f"{share * rate:.3g}") for share in RATES]
    lines = [f"dataset = {json.dumps(list(datasets))}", f"baseline = {json.dumps(list(baselines))}", f"seeds = {seeds}"]
    lines += [f"measure = {json.dumps(measure)}"] if measure else []
    lines += ["[[grid]]", f"{ROW} = {json.dumps(row)}", f"{RECIPE} = {json.dumps(recipe)}"]
    lines += [f"learning_rate = {rates}", f"{length} = {values}"]
    text = "\n".join(lines)
    return spec_of(Line(Path(f"recipes-{slug(f'{row}+{recipe}')}.toml"), text, tomllib.loads(text), "recipes"))


def _lengths(recipe: Recipe, tokens: int) -> tuple[str, list[float]]:
    """The setting that is the length of a training, and its values."""
    if "tokens" in recipe.unused:
        return "epochs", [share * recipe.schedule().epochs for share in LENGTHS]
    return "tokens", [int(share * tokens) for share in LENGTHS]
