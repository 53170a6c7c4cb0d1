"""QGen: made questions with their documents."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from harness.data.dataset import TrainView
from harness.generators import questions
from harness.generators.extractive import Extractive
from harness.recipes.qgen import QGen
from harness.runtime.context import Context
from harness.training.lesson import Lesson

Lessons = Callable[..., Lesson]


def test_an_example_is_a_question_and_the_document_it_was_made_from(
    lesson_of: Lessons, view: TrainView, context: Context
) -> None:
    lesson = lesson_of(QGen(budget="full", hide=0), view)
    made = questions(Extractive(per_document=50), view.corpus, range(len(view.corpus)), context).questions
    assert lesson.columns == {
        "query": [q.text for q in made],
        "positive": [view.corpus.texts[q.row] for q in made],
    }
    assert lesson.facts["questions"] == len(made) == sum(lesson.facts["origins"].values())


def test_the_questions_own_words_are_taken_out_of_most_documents_that_hold_them(
    lesson_of: Lessons, view: TrainView
) -> None:
    held = {hide: lesson_of(QGen(budget="full", hide=hide), view).columns for hide in (0, 0.5, 1)}
    copies = {h: sum(q in d for q, d in zip(c["query"], c["positive"], strict=True)) for h, c in held.items()}
    assert copies[0] > copies[0.5] > copies[1]
    assert copies[1] < copies[0] / 3


def test_so_many_documents_are_asked_about_as_said(lesson_of: Lessons, view: TrainView) -> None:
    facts = lesson_of(QGen(budget="smoke", documents=5), view).facts
    assert facts["asked_documents"] == 5
    assert facts["questions"] <= 15
    assert lesson_of(QGen(budget="smoke"), view).facts["asked_documents"] == 20


def test_the_loss_is_over_the_batch_with_the_scale(
    lesson_of: Lessons, base_of: Callable[..., Any], view: TrainView, context: Context
) -> None:
    recipe = QGen(budget="smoke", scale=7.0)
    lesson = lesson_of(recipe, view)
    model = base_of(recipe, context).fresh(context)
    texts = [list(column[:4]) for column in lesson.columns.values()]
    a, b = (torch.nn.functional.normalize(model.encode(t, convert_to_tensor=True), dim=1) for t in texts)
    by_hand = torch.nn.functional.cross_entropy(7.0 * a @ b.T, torch.arange(4))
    with torch.no_grad():
        assert lesson.loss(model)([model.preprocess(t) for t in texts], None).item() == pytest.approx(
            by_hand.item(), rel=1e-4
        )
