"""ColBERT: softmax over MaxSim by loops; what an encoder becomes."""

from __future__ import annotations

import math
import string
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from harness.data.dataset import TrainView
from harness.methods import fit
from harness.methods.late import Late
from harness.recipes.colbert import ColBERT
from harness.runtime.context import Context
from harness.training.lesson import Lesson
from harness.training.trained import with_recipes

Lessons = Callable[..., Lesson]


def maxsim(query: list[list[float]], document: list[list[float]]) -> float:
    return sum(max(sum(a * b for a, b in zip(q, d, strict=True)) for d in document) for q in query)


def test_the_loss_is_cross_entropy_over_maxsim_by_loops(
    lesson_of: Lessons, base_of: Callable[..., Any], view: TrainView, context: Context
) -> None:
    recipe = ColBERT(budget="smoke", negatives=2, scale=0.7)
    lesson = lesson_of(recipe, view)
    model = base_of(recipe, context).fresh(context)
    columns = [list(column[:3]) for column in lesson.columns.values()]
    assert len(columns) == 4
    queries = [v.tolist() for v in model.encode_query(columns[0], prompt="")]
    documents = [v.tolist() for column in columns[1:] for v in model.encode_document(column, prompt="")]
    by_hand = 0.0
    for number, query in enumerate(queries):
        scores = [0.7 * maxsim(query, d) for d in documents]
        by_hand += (math.log(sum(math.exp(s) for s in scores)) - scores[number]) / 3
    tasks = ["query", "document", "document", "document"]
    features = [{**model.preprocess(c, task=t), "task": t} for c, t in zip(columns, tasks, strict=True)]
    with torch.no_grad():
        assert lesson.loss(model)(features, None).item() == pytest.approx(by_hand, rel=1e-4)


@pytest.mark.parametrize("masks", [10, None])
def test_an_encoder_becomes_a_colbert(masks: int | None, view: TrainView, tiny_encoder: Path, context: Context) -> None:
    recipe = ColBERT(budget="smoke", expand_to=masks)
    fitted: Any = fit(with_recipes(Late(str(tiny_encoder)), (recipe,)), view, context)
    model = fitted._encoder.model
    assert model[2].skiplist_words == [mark for mark in string.punctuation if mark in ".,:?!-'"], (
        "those that are tokens"
    )
    lengths = fitted._encoder.encode(["bibi", "bibi dodo fafa " * 9], "query").lengths.tolist()
    assert lengths[0] == (masks or len(model.tokenizer("bibi")["input_ids"]))
    assert lengths[1] == len(model.tokenizer("bibi dodo fafa " * 9, truncation=True, max_length=64)["input_ids"]) > 10
    assert fitted._encoder.encode(["bibi"], "document").width == 128
    assert fitted.resolved["training"][0]["facts"]["negatives"]["judge"].startswith(f'dense(model="{tiny_encoder}"')


def test_punctuation_is_kept_where_it_is_asked_for_and_lengths_as_the_row_says(
    view: TrainView, tiny_encoder: Path, context: Context
) -> None:
    recipe = ColBERT(budget="smoke", skip_punctuation=False)
    fitted: Any = fit(
        with_recipes(Late(str(tiny_encoder), query_length=6, document_length=9), (recipe,)), view, context
    )
    encoder = fitted._encoder
    assert encoder.model[2].skiplist_words == []
    assert encoder.encode(["x", "bibi dodo fafa " * 9], "query").lengths.tolist() == [6, 6]
    assert encoder.encode(["a b c d e f g h i j"], "document").lengths.tolist() == [9]


def test_a_late_interaction_encoder_stays_what_it_is(lesson_of: Lessons, view: TrainView) -> None:
    assert lesson_of(ColBERT(budget="smoke"), view).before is None
