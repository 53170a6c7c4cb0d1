"""GPL: triples, two miners, the teacher's margins."""

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
from harness.recipes import supervision
from harness.recipes.cross_encoder import CrossEncoder as Recipe
from harness.recipes.gpl import GPL
from harness.recipes.supervised import Supervised
from harness.runtime.context import Context
from harness.training.lesson import Lesson
from harness.training.trained import with_recipes

Lessons = Callable[..., Lesson]


@pytest.fixture
def teacher(tiny_cross_encoder: Path) -> CrossEncoder:
    return CrossEncoder(model=str(tiny_cross_encoder))


def test_a_label_is_the_teachers_margin_of_the_document_over_the_mined_one(
    lesson_of: Lessons, view: TrainView, teacher: CrossEncoder, context: Context
) -> None:
    lesson = lesson_of(GPL(budget="smoke", teacher=teacher, negatives=2, hide=0), view)
    assert list(lesson.columns) == ["query", "positive", "negative_1"]
    assert len(lesson) == 2 * lesson.facts["questions"]
    texts = view.corpus.texts[:]
    scorer = fit(teacher, view, context).candidate_scorer(view.corpus, context)  # type: ignore[attr-defined]
    for query, good, bad, label in list(zip(*lesson.columns.values(), lesson.labels, strict=True))[:20]:  # type: ignore[arg-type]
        rows = np.array([texts.index(good), texts.index(bad)])
        scores = scorer.scores([query], [rows])[0]
        assert label == pytest.approx(float(scores[0] - scores[1]), abs=1e-4)
        assert good != bad
    assert lesson.columns["query"][0] == lesson.columns["query"][1]


def test_the_loss_is_margin_mse_of_scaled_cosines(
    lesson_of: Lessons, base_of: Callable[..., Any], view: TrainView, teacher: CrossEncoder, context: Context
) -> None:
    recipe = GPL(budget="smoke", teacher=teacher)
    lesson = lesson_of(recipe, view)
    model = base_of(recipe, context).fresh(context)
    texts = [list(column[:6]) for column in lesson.columns.values()]
    q, p, n = (model.encode(t, convert_to_tensor=True, normalize_embeddings=True) for t in texts)
    scale = lesson.facts["negatives"]["margin_scale"]
    margins = torch.tensor(lesson.labels[:6])  # type: ignore[index]
    by_hand = sum(float((scale * (q[i] @ p[i] - q[i] @ n[i]) - margins[i]) ** 2) for i in range(6)) / 6
    with torch.no_grad():
        found = lesson.loss(model)([model.preprocess(t) for t in texts], margins)
    assert found.item() == pytest.approx(by_hand, rel=1e-3)


def test_bm25_and_the_untrained_student_mine_together(
    lesson_of: Lessons, view: TrainView, teacher: CrossEncoder, tiny_encoder: Path
) -> None:
    both = lesson_of(GPL(budget="smoke", teacher=teacher, ranks=(1, 4), negatives=4), view)
    assert both.facts["negatives"]["miners"] == ["bm25", f'dense(model="{tiny_encoder}")']
    found = [
        set(
            lesson_of(GPL(budget="smoke", teacher=teacher, ranks=(1, 4), negatives=4, miners=(m,)), view).columns[
                "negative_1"
            ]
        )
        for m in (BM25(), Dense(str(tiny_encoder)))
    ]
    mined = set(both.columns["negative_1"])
    assert mined & found[0] - found[1]
    assert mined & found[1] - found[0]


def test_a_weak_teacher_is_told_in_a_note_that_reaches_the_row(
    view: TrainView, context: Context, teacher: CrossEncoder, tiny_encoder: Path
) -> None:
    weak = fit(with_recipes(Dense(str(tiny_encoder)), (GPL(budget="smoke", teacher=teacher),)), view, context)
    facts = weak.resolved["training"][0]["facts"]["teacher"]
    assert facts["teacher"] == str(teacher)
    expected = facts["teacher_dev"] <= facts["student_dev"]
    assert bool(weak.notes) == expected
    same = fit(
        with_recipes(Dense(str(tiny_encoder)), (GPL(budget="smoke", teacher=Dense(str(tiny_encoder))),)), view, context
    )
    assert len(same.notes) == 1
    assert "no better than the student does before training" in same.notes[0]
    assert same.resolved["training"][0]["notes"] == same.notes


def test_without_dev_the_teacher_goes_untested_and_a_note_says_so(
    view: TrainView, lesson_of: Lessons, teacher: CrossEncoder
) -> None:
    notes = lesson_of(GPL(budget="smoke", teacher=teacher), TrainView(view.corpus)).notes
    assert notes == (f"the teacher {teacher} could not be tested: the collection has no dev queries",)


def test_labels_of_a_teacher_count_as_the_rows_own(view: TrainView, tiny_encoder: Path) -> None:
    model = str(tiny_encoder)
    assert supervision(GPL(), view) == "dev labels"
    assert supervision(GPL(choose="last"), view) == "none"
    assert (
        supervision(GPL(teacher=with_recipes(CrossEncoder(model), (Recipe(pairs="unlabelled"),))), view) == "dev labels"
    )
    assert supervision(GPL(teacher=with_recipes(CrossEncoder(model), (Recipe(),))), view) == "train labels"
    assert supervision(GPL(miners=(with_recipes(Dense(model), (Supervised(),)),)), view) == "train labels"


def test_a_teacher_that_cannot_score_pairs_is_refused(view: TrainView, lesson_of: Lessons) -> None:
    with pytest.raises(
        Exception, match="bm25 cannot score given pairs; a teacher or judge must be a cross_encoder or dense row"
    ):
        lesson_of(GPL(budget="smoke", teacher=BM25()), view)
