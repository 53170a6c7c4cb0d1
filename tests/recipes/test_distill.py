"""Distillation: the student's scores of a query's documents follow the teacher's, on the student's own scale."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from sentence_transformers import SentenceTransformer

from harness.data.dataset import TrainView
from harness.methods import fit
from harness.methods.bm25 import BM25
from harness.methods.dense import Dense
from harness.recipes.distill import Distill
from harness.runtime.context import Context
from harness.training.lesson import Lesson
from harness.training.margins import COSINE_SCALE

Lessons = Callable[..., Lesson]


def cosines(model: SentenceTransformer, lesson: Lesson, count: int) -> torch.Tensor:
    """(count, documents) of a lesson's first examples."""
    query, *documents = (
        model.encode(list(column[:count]), normalize_embeddings=True, convert_to_tensor=True)
        for column in lesson.columns.values()
    )
    return torch.stack([(query * one).sum(1) for one in documents], dim=1)


@pytest.mark.parametrize("loss", ["kl", "margin_mse"])
def test_the_loss_by_hand(
    loss: Any, lesson_of: Lessons, base_of: Callable[..., Any], view: TrainView, context: Context, tiny_encoder: Path
) -> None:
    recipe = Distill(budget="smoke", teacher=BM25(), loss=loss, negatives=3, scale=7.0)
    lesson = lesson_of(recipe, view)
    model = base_of(recipe, context).fresh(context)
    own = cosines(model, lesson, 6)
    labels = torch.tensor(lesson.labels or [])
    if loss == "kl":
        wanted = labels[:6].softmax(1)
        by_hand = (wanted * (wanted.log() - (7 * own).log_softmax(1))).sum() / 6
    else:
        by_hand = ((COSINE_SCALE * (own[:, :1] - own[:, 1:]) - labels[:6]) ** 2).mean()
    columns = [model.preprocess(list(column[:6])) for column in lesson.columns.values()]
    with torch.no_grad():
        assert lesson.loss(model)(columns, labels[:6]).item() == pytest.approx(float(by_hand), rel=1e-3, abs=1e-5)


def test_the_teachers_scores_have_deviation_one_within_a_query(lesson_of: Lessons, view: TrainView) -> None:
    lesson = lesson_of(Distill(budget="smoke", teacher=BM25()), view)
    labels = torch.tensor(lesson.labels or [])
    assert labels.shape == (len(lesson), 5)
    assert float(labels.var(1, correction=0).mean()) == pytest.approx(1, abs=1e-4)
    facts = lesson.facts["teacher"]
    assert facts["teacher"] == "bm25"
    assert facts["positive_first_by_teacher"] == pytest.approx(
        float((labels[:, 0] >= labels.max(1).values).float().mean()), abs=1e-3
    )


def test_the_student_moves_towards_its_teacher(view: TrainView, context: Context, row: Callable[..., Any]) -> None:
    recipe = Distill(
        budget="smoke", teacher=BM25(), learning_rate=2e-3, epochs=4, batch=16, choose="last", precision="fp32"
    )
    loss = [value for _, value in fit(row(recipe), view, context).resolved["training"][0]["loss"]]
    assert sum(loss[-3:]) < 0.7 * sum(loss[:3])


def test_the_teacher_may_be_any_row_that_scores(view: TrainView, context: Context, tiny_encoder: Path) -> None:
    from harness.choices.expression import parse
    from harness.recipes import RECIPES
    from harness.rows import ROOMS

    recipe = parse(f'distill(teacher=dense(model="{tiny_encoder}"))', RECIPES, ROOMS)
    assert recipe == Distill(teacher=Dense(str(tiny_encoder)))
