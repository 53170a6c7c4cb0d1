"""Matryoshka: the sum of a loss over the first dimensions of the vectors, by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from sentence_transformers import SentenceTransformer

from harness.base.errors import SettingError
from harness.data.dataset import Dataset
from harness.methods import fit, index, search
from harness.methods.dense import Dense
from harness.recipes import RECIPES, Recipe
from harness.runtime.context import Context
from harness.training.base import EncoderBase
from harness.training.matryoshka import at_dimensions
from harness.training.trained import with_recipes


def base_of(model: Path, context: Context, **settings: Any) -> EncoderBase:
    row = Dense(model=str(model), **settings)
    return EncoderBase.of(row.open_model(context), row)


def recipe_of(name: str, **settings: Any) -> Recipe:
    return RECIPES.get(name)(budget="smoke", **settings)


def test_the_loss_is_the_sum_over_the_dimensions(small: Dataset, context: Context, tiny_encoder: Path) -> None:
    base, recipe = base_of(tiny_encoder, context), recipe_of("supervised", scale=5.0)
    lesson = at_dimensions(recipe.lesson(base, small.train, context), (8, 3), base, "supervised")
    model = SentenceTransformer(str(tiny_encoder), device="cpu")
    columns = [list(column[:4]) for column in lesson.columns.values()]
    vectors = [model.encode(column, convert_to_tensor=True) for column in columns]
    by_hand = 0.0
    for dimensions in (32, 8, 3):
        query, *documents = (torch.nn.functional.normalize(one[:, :dimensions], dim=1) for one in vectors)
        scores = 5.0 * query @ torch.cat(documents).T
        by_hand += float(torch.nn.functional.cross_entropy(scores, torch.arange(4)))
    with torch.no_grad():
        loss = lesson.loss(model)([model.preprocess(column) for column in columns], None)
    assert float(loss) == pytest.approx(by_hand, rel=1e-4)
    assert lesson.facts["matryoshka"] == [8, 3]


@pytest.mark.parametrize("name", ["supervised", "contrastive_pretraining"])
def test_a_recipe_trains_and_its_row_ranks_by_few_dimensions(
    name: str, small: Dataset, context: Context, tiny_encoder: Path
) -> None:
    recipe = recipe_of(name, matryoshka=(8,))
    row = with_recipes(Dense(model=str(tiny_encoder), dimensions=8), (recipe,))
    fitted: Any = fit(row, small.train, context)
    facts = fitted.resolved["training"][0]["facts"]
    assert facts["matryoshka"] == [8]
    assert name == "supervised" or facts["scale"] > 0  # what the recipe measures afterwards is still there
    searcher = index(row, fitted, small.corpus, context)
    assert search(row, searcher, small.test.queries, 5, context).indices.shape[1] == 5
    assert fitted.encoder.vectors(["one"], "query").dimension == 8
    assert "matryoshka=(8,)" in str(row)
    assert "matryoshka" not in recipe_of(name).full()


def test_more_dimensions_than_the_model_has_are_refused(small: Dataset, context: Context, tiny_encoder: Path) -> None:
    row = with_recipes(Dense(model=str(tiny_encoder)), (recipe_of("supervised", matryoshka=(64,)),))
    with pytest.raises(SettingError, match="has 32 dimensions, not 64"):
        fit(row, small.train, context)


def test_dot_products_are_refused(small: Dataset, context: Context, tiny_encoder: Path) -> None:
    base = base_of(tiny_encoder, context, similarity="dot")
    lesson = recipe_of("supervised").lesson(base, small.train, context)
    with pytest.raises(SettingError, match="compares by cosine"):
        at_dimensions(lesson, (8,), base, "supervised")


@pytest.mark.parametrize("name", ["tsdae", "contrastive_tension", "frozen_head", "cross_encoder", "splade", "colbert"])
def test_losses_on_something_else_than_vectors_refuse_it(name: str) -> None:
    with pytest.raises(SettingError, match=f"{name}: matryoshka has no meaning here"):
        recipe_of(name, matryoshka=(8,))
