"""Supervised: multiple negatives ranking over gold pairs and mined negatives."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from sentence_transformers.util import batch_to_device

from harness.base.errors import SettingError
from harness.data.dataset import TrainView
from harness.methods import fit
from harness.methods.bm25 import BM25
from harness.methods.dense import Dense
from harness.models.encoder import open_encoder
from harness.recipes.supervised import Supervised
from harness.rows import parse_method
from harness.runtime.context import Context
from harness.training.base import EncoderBase
from harness.training.gold import gold
from harness.training.lesson import Lesson

Lessons = Callable[..., Lesson]


def test_the_loss_of_a_batch_is_multiple_negatives_ranking_by_hand(
    lesson_of: Lessons, base_of: Callable[..., Any], view: TrainView, context: Context
) -> None:
    recipe = Supervised(budget="smoke", negatives=2, scale=13.0)
    lesson = lesson_of(recipe, view)
    model = base_of(recipe, context).fresh(context)
    assert list(lesson.columns) == ["query", "positive", "negative_1", "negative_2"]
    first = [list(column[:5]) for column in lesson.columns.values()]
    vectors = [torch.nn.functional.normalize(model.encode(texts, convert_to_tensor=True), dim=1) for texts in first]
    documents = torch.cat(vectors[1:])
    by_hand = 0.0
    for i, query in enumerate(vectors[0]):
        logits = [13.0 * float(query @ document) for document in documents]
        by_hand += math.log(sum(math.exp(value - logits[i]) for value in logits)) / len(first[0])
    features = [batch_to_device(model.preprocess(texts), model.device) for texts in first]
    with torch.no_grad():
        assert lesson.loss(model)(features, None).item() == pytest.approx(by_hand, rel=1e-4)


def test_there_is_one_example_for_each_gold_pair_with_a_negative_that_is_not_relevant(
    lesson_of: Lessons, view: TrainView, context: Context
) -> None:
    lesson = lesson_of(Supervised(budget="smoke"), view)
    held = gold(view, context)
    texts = view.corpus.texts
    assert list(zip(lesson.columns["query"], lesson.columns["positive"], strict=True)) == [
        (held.queries.texts[number], texts[row]) for number, row in held.pairs()
    ]
    relevant = {q: {texts[int(row)] for row in rows} for q, rows in zip(held.queries.texts, held.relevant, strict=True)}
    for query, negative in zip(lesson.columns["query"], lesson.columns["negative_1"], strict=True):
        assert negative not in relevant[query]
    assert lesson.order == "distinct"
    assert lesson.sides == {"query": "query", "positive": "document", "negative_1": "document"}
    assert lesson.facts["train_queries"] == len(held) == 24


def test_without_mined_negatives_the_batch_alone_is_contrasted(lesson_of: Lessons, view: TrainView) -> None:
    assert list(lesson_of(Supervised(budget="smoke", negatives=0), view).columns) == ["query", "positive"]


def test_the_subsets_of_queries_are_nested(lesson_of: Lessons, view: TrainView) -> None:
    asked = [set(lesson_of(Supervised(budget="smoke", queries=n), view).columns["query"]) for n in (3, 8, 24, 1000)]
    assert [len(a) for a in asked] == [3, 8, 24, 24]
    assert asked[0] < asked[1] < asked[2]


def test_a_number_of_queries_is_a_row_of_its_own(lesson_of: Lessons, view: TrainView) -> None:
    lesson = lesson_of(Supervised(budget="smoke", queries=3), view)
    assert lesson.facts["train_queries"] == 3
    assert len(lesson) == 3 * 6


def test_negatives_too_like_the_positive_are_left_out_by_the_judge(
    lesson_of: Lessons, view: TrainView, tiny_encoder: Path
) -> None:
    def rate(below: float | None) -> float:
        facts = lesson_of(Supervised(budget="smoke", miners=(Dense(str(tiny_encoder)),), below=below), view).facts[
            "negatives"
        ]
        assert below is None or facts["left_out"] > 0
        return float(facts["false_negative_rate"])

    assert rate(0.9) < rate(None)  # what is drawn where nothing is left is not below anything
    facts = lesson_of(Supervised(budget="smoke"), view).facts["negatives"]
    assert facts["judge"] == f'dense(model="{tiny_encoder}")'  # the model before training


def test_a_model_that_ranks_by_dot_products_is_trained_on_them(
    view: TrainView, tiny_encoder: Path, context: Context
) -> None:
    recipe = Supervised(budget="smoke", negatives=0)
    losses = {}
    for similarity in ("cosine", "dot"):
        row = Dense(str(tiny_encoder), similarity=similarity)
        base = EncoderBase(open_encoder(row._encoder_settings(), context), (BM25(), row), row)
        built = recipe.lesson(base, view, context).loss(base.fresh(context))
        losses[similarity] = (built.similarity_fct.__name__, built.scale)
    assert losses == {"cosine": ("cos_sim", 20.0), "dot": ("dot_score", 1.0)}


@pytest.mark.parametrize("name", ["gist_embed", "ranked_list", 'augmented_sbert(loss="cosine")'])
def test_recipes_that_know_cosines_alone_refuse_a_model_that_ranks_by_dot_products(
    name: str, view: TrainView, tiny_encoder: Path, context: Context
) -> None:
    text = name.replace("(", '(budget="smoke", ') if "(" in name else f'{name}(budget="smoke")'
    row = parse_method(f'dense(model="{tiny_encoder}", similarity="dot")+{text}')
    with pytest.raises(SettingError, match="compares by cosine"):
        fit(row, view, context)


def test_no_query_has_itself_as_a_negative(lesson_of: Lessons, documents_ask: TrainView) -> None:
    columns = lesson_of(Supervised(budget="smoke", negatives=5, ranks=(1, 5)), documents_ask).columns
    mined = [columns[f"negative_{n}"] for n in range(1, 6)]
    assert len(columns["query"]) == 20
    for query, *negatives in zip(columns["query"], *mined, strict=True):
        assert not [text for text in negatives if text.endswith(query)]
