"""GISTEmbed: a guide's vectors decide what is masked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from harness.data.dataset import TrainView
from harness.methods import fit
from harness.methods.bm25 import BM25
from harness.methods.cross_encoder import CrossEncoder
from harness.methods.dense import Dense
from harness.recipes.cross_encoder import CrossEncoder as Recipe
from harness.recipes.gist_embed import GISTEmbed
from harness.recipes.supervised import Supervised
from harness.runtime.context import Context
from harness.training.lesson import Lesson
from harness.training.trained import with_recipes

Lessons = Callable[..., Lesson]


def gist(vectors: list[np.ndarray], guides: list[np.ndarray], temperature: float, margin: float) -> tuple[float, int]:
    """The loss as the paper has it, entry by entry, and how many entries were masked."""
    total, masked = 0.0, 0
    size = len(vectors[0])
    for i in range(size):
        threshold = guides[0][i] @ guides[1][i] - margin
        logits, own = [], 0.0
        for rows, columns in ((0, 1), (0, 0), (1, 1), (0, 2)):
            for j in range(size):
                value = vectors[rows][i] @ vectors[columns][j] / temperature
                if (rows, columns) == (0, 1) and i == j:
                    own = value
                elif guides[rows][i] @ guides[columns][j] > threshold:
                    masked += 1
                    continue
                elif rows == columns and i == j:
                    continue
                logits.append(value)
        top = max(logits)
        total += (top + np.log(np.exp(np.array(logits) - top).sum()) - own) / size
    return total, masked


@pytest.mark.parametrize("margin", [0.0, 0.02])
def test_the_loss_is_the_papers_with_what_the_guide_masks_left_out(
    margin: float,
    lesson_of: Lessons,
    base_of: Callable[..., Any],
    view: TrainView,
    context: Context,
    tiny_encoder: Path,
) -> None:
    untrained = Dense(str(tiny_encoder))
    recipe = GISTEmbed(budget="smoke", guide=untrained, temperature=0.05, margin=margin, miners=(untrained,))
    lesson = lesson_of(recipe, view)
    model = base_of(recipe, context).fresh(context)
    model.max_seq_length = 32
    rng = np.random.default_rng(3)
    chosen = rng.permutation(len(lesson))[:6]
    texts = [[column[i] for i in chosen] for column in lesson.columns.values()]
    guides = [model.encode(t, normalize_embeddings=True).astype(np.float64) for t in texts]
    loss: Any = lesson.loss(model)
    with torch.no_grad():
        for p in model.parameters():  # the student moves on, the guide does not
            p.mul_(0.9)
    vectors = [model.encode(t, normalize_embeddings=True).astype(np.float64) for t in texts]
    by_hand, masked = gist(vectors, guides, 0.05, margin)
    with torch.no_grad():
        found = loss([model.preprocess(t) for t in texts], None)
    assert masked > 12  # of each query with itself and each positive with itself, and more
    assert found.item() == pytest.approx(by_hand, rel=1e-3)
    assert (
        abs(by_hand - gist(vectors, [np.zeros_like(g) for g in guides], 0.05, 0)[0]) > 1e-2
    )  # masking is seen in the loss


def test_the_guide_is_a_head_on_the_untrained_model_unless_another_is_named(
    lesson_of: Lessons, view: TrainView, tiny_encoder: Path
) -> None:
    default = lesson_of(GISTEmbed(budget="smoke"), view)
    assert default.facts["guide"] == f'dense(model="{tiny_encoder}")+frozen_head(budget="smoke")'
    other = Dense(str(tiny_encoder), query_prompt="ask: ")
    assert lesson_of(GISTEmbed(budget="smoke", guide=other), view).facts["guide"] == str(other)


def test_a_guide_may_have_another_tokenizer_length_and_prompts(
    view: TrainView, context: Context, tiny_encoder: Path
) -> None:
    guide = Dense(str(tiny_encoder), query_prompt="q: ", max_length=5)
    fitted = fit(with_recipes(Dense(str(tiny_encoder)), (GISTEmbed(budget="smoke", guide=guide),)), view, context)
    assert fitted.resolved["training"][0]["facts"]["guide"] == str(guide)


def test_a_guide_without_vectors_is_refused(view: TrainView, row: Callable[..., Any], context: Context) -> None:
    with pytest.raises(Exception, match="bm25 cannot guide: it has no vectors"):
        fit(row(GISTEmbed(budget="smoke", guide=BM25())), view, context)


def test_a_judge_that_learnt_on_labels_is_owned_up_to(tiny_cross_encoder: Path, view: TrainView) -> None:
    from harness.recipes import supervision

    judge = with_recipes(CrossEncoder(str(tiny_cross_encoder)), (Recipe(pairs="unlabelled"),))
    assert supervision(GISTEmbed(judge=judge), view) == "train labels"


def test_without_mined_negatives_three_blocks_are_left(lesson_of: Lessons, view: TrainView) -> None:
    assert list(lesson_of(GISTEmbed(budget="smoke", negatives=0), view).columns) == ["query", "positive"]


def test_the_untrained_model_as_the_guide_masks_just_what_it_ranks_above_the_positive(
    lesson_of: Lessons, view: TrainView, tiny_encoder: Path
) -> None:
    facts = lesson_of(GISTEmbed(budget="smoke", guide=Dense(str(tiny_encoder))), view).facts
    assert facts["masked_negatives"] == pytest.approx(facts["negatives"]["false_negative_rate"], abs=0.02)
    assert facts["masked_negatives"] > 0.1


def test_the_temperature_is_that_of_supervised_except_in_the_papers_own_setting(
    lesson_of: Lessons, base_of: Callable[..., Any], view: TrainView, context: Context, tiny_encoder: Path
) -> None:
    model = base_of(GISTEmbed(), context).fresh(context)
    found = {}
    for budget in ("small", "full"):
        found[budget] = lesson_of(GISTEmbed(budget=budget, guide=Dense(str(tiny_encoder))), view).loss(model)
    assert {budget: loss.temperature for budget, loss in found.items()} == {"small": 0.05, "full": 0.01}
    assert 1 / found["small"].temperature == Supervised().scale


@pytest.mark.parametrize("strategy", ["absolute", "relative"])
def test_several_negatives_take_the_cached_loss_whose_value_is_the_same(
    strategy: Any,
    lesson_of: Lessons,
    base_of: Callable[..., Any],
    view: TrainView,
    context: Context,
    tiny_encoder: Path,
) -> None:
    guide = Dense(str(tiny_encoder))
    values = []
    for mini_batch in (None, 2):
        recipe = GISTEmbed(budget="smoke", guide=guide, margin=-0.1, margin_is=strategy, mini_batch=mini_batch)
        lesson = lesson_of(recipe, view)
        model = base_of(recipe, context).fresh(context)
        with torch.no_grad():
            texts = [list(column[:5]) for column in lesson.columns.values()]
            values.append(lesson.loss(model)([model.preprocess(t) for t in texts], None).item())
    assert values[0] == pytest.approx(values[1], rel=1e-4)
    several = lesson_of(GISTEmbed(budget="smoke", guide=guide, negatives=3), view)
    assert type(several.loss(model)).__name__ == "CachedGISTEmbedLoss"
    assert len(several.columns) == 5
