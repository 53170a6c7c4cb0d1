"""GPL: triples, two miners, the teacher's margins."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from harness.base.errors import DatasetError
from harness.data.corpus import Corpus
from harness.data.dataset import TrainView
from harness.methods import fit
from harness.methods.bm25 import BM25
from harness.methods.cross_encoder import CrossEncoder
from harness.methods.dense import Dense
from harness.recipes import supervision
from harness.recipes.cross_encoder import CrossEncoder as Recipe
from harness.recipes.gpl import GPL
from harness.recipes.qgen import QGen
from harness.recipes.supervised import Supervised
from harness.runtime.context import Context
from harness.training.export import export_tuples
from harness.training.lesson import Lesson
from harness.training.trained import with_recipes

Lessons = Callable[..., Lesson]


@pytest.fixture
def teacher(tiny_cross_encoder: Path) -> CrossEncoder:
    return CrossEncoder(model=str(tiny_cross_encoder))


def shown(teacher: Any, queries: list[str], documents: list[list[str]], view: TrainView, context: Context) -> Any:
    """(E, C) scores of the texts as they are in the examples."""
    texts = list(dict.fromkeys(text for row in documents for text in row))
    corpus = Corpus.of([(str(i), "", text) for i, text in enumerate(texts)])
    scorer = fit(teacher, view, context).candidate_scorer(corpus, context)  # type: ignore[attr-defined]
    return np.array(scorer.scores(queries, [np.array([texts.index(t) for t in row]) for row in documents]))


@pytest.mark.parametrize("hide", [0.0, 1.0])
def test_a_label_is_a_line_of_the_teachers_margin_between_the_texts_that_the_student_reads(
    hide: float, lesson_of: Lessons, view: TrainView, teacher: CrossEncoder, context: Context, tiny_encoder: Path
) -> None:
    """The defect: the margin was that of the whole document where the student read it without the question's words."""
    lesson = lesson_of(GPL(budget="smoke", teacher=teacher, hide=hide), view)
    assert list(lesson.columns) == ["query", "positive", "negative_1"]
    queries, *documents = (list(column) for column in lesson.columns.values())
    held = set(view.corpus.texts[:])
    assert (hide == 0) == (set(documents[0]) <= held)
    pairs = [list(pair) for pair in zip(*documents, strict=True)]
    theirs = shown(teacher, queries, pairs, view, context)
    own = shown(Dense(str(tiny_encoder)), queries, pairs, view, context)
    margins = theirs[:, 0] - theirs[:, 1]
    slope, intercept = np.polyfit(margins, own[:, 0] - own[:, 1], 1)
    slope = max(0.0, slope)
    if slope == 0:
        intercept = float((own[:, 0] - own[:, 1]).mean())
    assert lesson.labels == pytest.approx(20 * (slope * margins + intercept), rel=1e-2, abs=2e-2)


def test_the_loss_is_margin_mse_of_scaled_cosines(
    lesson_of: Lessons, base_of: Callable[..., Any], view: TrainView, teacher: CrossEncoder, context: Context
) -> None:
    recipe = GPL(budget="smoke", teacher=teacher)
    lesson = lesson_of(recipe, view)
    model = base_of(recipe, context).fresh(context)
    texts = [list(column[:6]) for column in lesson.columns.values()]
    q, p, n = (model.encode(t, convert_to_tensor=True, normalize_embeddings=True) for t in texts)
    margins = torch.tensor(lesson.labels[:6])  # type: ignore[index]
    by_hand = sum(float((20 * (q[i] @ p[i] - q[i] @ n[i]) - margins[i]) ** 2) for i in range(6)) / 6
    with torch.no_grad():
        found = lesson.loss(model)([model.preprocess(t) for t in texts], margins)
    assert found.item() == pytest.approx(by_hand, rel=1e-3)


def test_each_pass_takes_other_negatives_and_a_seed_always_the_same(
    lesson_of: Lessons, view: TrainView, teacher: CrossEncoder, context: Context
) -> None:
    recipe = GPL(budget="smoke", teacher=teacher, documents=5, epochs=3, hide=0.0)
    lesson = lesson_of(recipe, view)
    size = lesson.facts["questions"]
    assert len(lesson) == lesson.per_pass == size
    pairs = list(zip(*lesson.columns.values(), strict=True))
    assert len(pairs) >= 3 * size
    assert lesson.order == "given"
    negatives: dict[tuple[str, str], list[str]] = {}
    for start in (0, size, 2 * size):
        assert len({pair[:2] for pair in pairs[start : start + size]}) == size
        for query, positive, negative in pairs[start : start + size]:
            negatives.setdefault((query, positive), []).append(negative)
    assert all(len(set(drawn)) == 3 for drawn in negatives.values())
    again = lesson_of(recipe, view, Context(cache=context.cache))
    assert list(zip(*again.columns.values(), strict=True)) == pairs
    other = lesson_of(recipe, view, Context(cache=context.cache, seed=1))
    assert list(zip(*other.columns.values(), strict=True)) != pairs


def test_a_small_corpus_is_asked_more_of_each_document(lesson_of: Lessons, view: TrainView) -> None:
    size = len(view.corpus)
    few, many = (lesson_of(QGen(budget=budget), view).facts for budget in ("smoke", "full"))
    assert (few["asked_documents"], many["asked_documents"]) == (20, size)
    assert "per_document=50" in many["generator"]
    assert few["generator"] == "extractive"


def test_noise_reaches_both_recipes_that_make_questions(
    lesson_of: Lessons, view: TrainView, teacher: CrossEncoder
) -> None:
    for recipe in (GPL(budget="smoke", teacher=teacher, noise=0.5), QGen(budget="smoke", noise=0.5)):
        lesson = lesson_of(recipe, view)
        assert lesson.facts["wrong_documents"] == pytest.approx(lesson.facts["questions"] / 2, abs=2)


def test_tuples_are_written_and_read_back_as_the_same_lesson(
    lesson_of: Lessons, view: TrainView, row: Any, teacher: CrossEncoder, context: Context, tmp_path: Path
) -> None:
    recipe = GPL(budget="smoke", teacher=teacher)
    file = tmp_path / "tuples.jsonl"
    tuples = export_tuples(row(recipe), view, file, context)
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert len(lines) == len(tuples)
    assert set(lines[0]) == {"query", "positive", "negative", "margin", "positive_id", "negative_id"}
    assert view.corpus.rows([line["negative_id"] for line in lines]).min() >= 0
    made, read = lesson_of(recipe, view), lesson_of(GPL(budget="smoke", tuples=str(file)), view)
    for name, column in made.columns.items():
        assert list(read.columns[name]) == list(column) == [line[name.removesuffix("_1")] for line in lines]
    assert read.labels == pytest.approx(made.labels, abs=1e-4)
    assert read.facts["tuples"] == len(lines)
    assert {query.text for query in read.queries()} == {line["query"] for line in lines}
    assert GPL(tuples=str(file)).needed() == frozenset()


def test_another_content_of_the_tuples_is_another_key(context: Context, tmp_path: Path) -> None:
    file = tmp_path / "tuples.jsonl"
    recipe = GPL(budget="smoke", tuples=str(file))
    with pytest.raises(DatasetError, match="cannot be read"):
        recipe.inputs(context)
    keys = []
    for text in ("1", "2"):
        file.write_text(text)
        keys.append(recipe.inputs(context))
    assert keys[0] != keys[1]


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
    assert any("no better than the student does" in note for note in weak.notes) == expected
    same = fit(
        with_recipes(Dense(str(tiny_encoder)), (GPL(budget="smoke", teacher=Dense(str(tiny_encoder))),)), view, context
    )
    assert len([note for note in same.notes if "no better than the student does before training" in note]) == 1
    assert same.resolved["training"][0]["notes"] == same.notes


def test_without_dev_the_teacher_goes_untested_and_a_note_says_so(
    view: TrainView, lesson_of: Lessons, teacher: CrossEncoder
) -> None:
    notes = lesson_of(GPL(budget="smoke", teacher=teacher), TrainView(view.corpus)).notes
    assert notes[0] == f"the teacher {teacher} could not be tested: the collection has no dev queries"


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
