"""Contrastive pre-training: neighbours of one document, delimiters that stay, both directions."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from sentence_transformers import SentenceTransformer

from harness.base.errors import SettingError
from harness.data.corpus import Corpus
from harness.data.dataset import TrainView
from harness.methods import fit
from harness.recipes.contrastive_pretraining import PAIRS, ContrastivePretraining
from harness.runtime.context import Context
from harness.training.gold import gold
from harness.training.lesson import Lesson

Lessons = Callable[..., Lesson]


def story(name: str, sentences: int) -> str:
    return " ".join(f"{name.upper()} says thing {i} of it." for i in range(sentences))


@pytest.fixture
def stories() -> TrainView:
    return TrainView(Corpus.of([(n, f"title of {n}" if n < "c" else "", story(n, 6)) for n in "abcd"]))


def test_a_pair_is_two_neighbouring_chunks_of_one_document(lesson_of: Lessons, stories: TrainView) -> None:
    lesson = lesson_of(ContrastivePretraining(budget="full", words=12), stories)
    chunks = {
        n: [" ".join(f"{n.upper()} says thing {i} of it." for i in (j, j + 1)) for j in (0, 2, 4)] for n in "abcd"
    }
    parts = {n: [*([f"title of {n}"] if n < "c" else []), *chunks[n]] for n in "abcd"}
    neighbours = {frozenset(parts[n][i : i + 2]) for n in "abcd" for i in range(len(parts[n]) - 1)}
    found = [frozenset(pair) for pair in zip(*lesson.columns.values(), strict=True)]
    assert len(found) == len(set(found)) == len(neighbours) == 10
    assert set(found) == neighbours


def test_either_of_the_two_may_ask(lesson_of: Lessons, view: TrainView) -> None:
    lesson = lesson_of(ContrastivePretraining(budget="small"), view)
    titles = {view.corpus[i].title for i in range(len(view.corpus))} - {""}
    asking = sum(text in titles for text in lesson.columns["query"])
    assert len(lesson) == 30
    assert 5 < asking < 25


def test_so_many_pairs_are_drawn_as_asked(lesson_of: Lessons, stories: TrainView) -> None:
    lesson = lesson_of(ContrastivePretraining(budget="smoke", words=12, count=3), stories)
    assert len(lesson) == 3
    assert lesson.facts == {"pairs": 3, "kind": "chunks"}


def test_a_short_text_without_a_title_is_halved(lesson_of: Lessons) -> None:
    corpus = Corpus.of([("a", "", "one two three four five six seven eight nine ten eleven"), ("b", "", "too short")])
    lesson = lesson_of(ContrastivePretraining(budget="smoke"), TrainView(corpus))
    (pair,) = zip(*lesson.columns.values(), strict=True)
    assert set(pair) == {"one two three four five", "six seven eight nine ten eleven"}


def test_documents_without_neighbours_are_refused_with_what_to_do(lesson_of: Lessons) -> None:
    with pytest.raises(SettingError, match=r'no document has a title or 10 words, .* use pairs="gold"'):
        lesson_of(ContrastivePretraining(), TrainView(Corpus.of([("a", "", "Short. Text.")])))


def test_gold_pairs_are_the_training_queries_with_their_documents(
    lesson_of: Lessons, view: TrainView, context: Context
) -> None:
    recipe = ContrastivePretraining(budget="smoke", pairs="gold", queries=5)
    lesson = lesson_of(recipe, view)
    held = gold(view, context, 5)
    assert list(zip(*lesson.columns.values(), strict=True)) == [
        (held.queries.texts[n], view.corpus.texts[row]) for n, row in held.pairs()
    ]
    assert recipe.needed() == {"train labels"}
    assert ContrastivePretraining().needed() == frozenset()


def test_the_loss_is_symmetric_cross_entropy_by_hand_whatever_the_mini_batch(
    lesson_of: Lessons, base_of: Callable[..., Any], view: TrainView, context: Context
) -> None:
    for mini in (2, 32):
        recipe = ContrastivePretraining(budget="smoke", scale=9.0, mini_batch=mini)
        lesson = lesson_of(recipe, view)
        model = base_of(recipe, context).fresh(context)
        texts = [list(column[:5]) for column in lesson.columns.values()]
        a, b = (torch.nn.functional.normalize(model.encode(t, convert_to_tensor=True), dim=1).double() for t in texts)
        cosines = (9.0 * a @ b.T).tolist()
        rows = sum(math.log(sum(math.exp(x - row[i]) for x in row)) for i, row in enumerate(cosines)) / 5
        turned = [list(column) for column in zip(*cosines, strict=True)]
        columns = sum(math.log(sum(math.exp(x - row[i]) for x in row)) for i, row in enumerate(turned)) / 5
        loss = lesson.loss(model)
        found = loss([model.preprocess(t) for t in texts], None)
        assert found.item() == pytest.approx((rows + columns) / 2, rel=1e-4)


def test_the_temperature_is_learnt_by_gradients_of_the_whole_batch(
    lesson_of: Lessons, base_of: Callable[..., Any], view: TrainView, context: Context
) -> None:
    recipe = ContrastivePretraining(budget="smoke", scale=9.0, mini_batch=2)
    lesson = lesson_of(recipe, view)
    model = base_of(recipe, context).fresh(context)
    texts = [list(column[:5]) for column in lesson.columns.values()]
    a, b = (torch.nn.functional.normalize(model.encode(t, convert_to_tensor=True), dim=1) for t in texts)
    log_scale = torch.tensor(math.log(9.0), requires_grad=True)
    scores = log_scale.exp() * a @ b.T
    target = torch.arange(5)
    cross = torch.nn.functional.cross_entropy
    by_hand = (cross(scores, target) + cross(scores.T, target)) / 2
    by_hand.backward()
    loss: Any = lesson.loss(model)
    loss([model.preprocess(t) for t in texts], None).backward()
    assert log_scale.grad is not None
    assert float(loss.log_scale.grad) == pytest.approx(float(log_scale.grad), rel=1e-3)


def test_the_learnt_temperature_is_stored_and_bounded(
    view: TrainView, context: Context, row: Callable[..., Any], lesson_of: Lessons, base_of: Callable[..., Any]
) -> None:
    recipe = ContrastivePretraining(budget="smoke", epochs=2, precision="fp32")
    training = fit(row(recipe), view, context).resolved["training"][0]
    assert abs(training["facts"]["scale"] - 20) > 0.02
    fixed = fit(row(ContrastivePretraining(budget="smoke", learn_scale=False)), view, context)
    assert fixed.resolved["training"][0]["facts"]["scale"] == 20
    loss: Any = lesson_of(recipe, view).loss(base_of(recipe, context).fresh(context))
    with torch.no_grad():
        loss.log_scale.fill_(50)
    assert loss.scale == 100


def test_small_takes_over_a_hundred_steps_where_there_are_pairs_enough() -> None:
    schedule = ContrastivePretraining().schedule()
    tokens = 2 * 80  # of two chunks of 60 words
    assert schedule.total(PAIRS["small"], tokens) > 100


def test_the_delimiters_are_the_saved_models_prompts_and_the_rows(
    view: TrainView, context: Context, row: Callable[..., Any]
) -> None:
    fitted: Any = fit(
        row(ContrastivePretraining(budget="smoke", query_prefix="ask: ", document_prefix="hold: ")), view, context
    )
    assert fitted.encoder.prompts == {"query": "ask: ", "document": "hold: "}
    assert fitted.resolved["query_prompt"] == "ask: "
    model = SentenceTransformer(str(fitted.encoder.folder.path), device="cpu")
    assert {k: model.prompts[k] for k in ("query", "document")} == {"query": "ask: ", "document": "hold: "}
    mine = fitted.encoder.encode(["wing"], "query")
    assert model.encode(["ask: wing"], prompt="", normalize_embeddings=True) == pytest.approx(mine, abs=1e-5)
    assert not np.allclose(mine, fitted.encoder.encode(["wing"], "document"), atol=1e-3)


def test_training_reads_its_texts_behind_the_delimiters(
    trained_at_smoke: Callable[..., Any], sealed: TrainView
) -> None:
    texts = trained_at_smoke(ContrastivePretraining(budget="smoke", query_prefix="ask: ")).texts
    assert sealed.dev is not None
    assert {f"ask: {t}" for t in sealed.dev.queries.texts} <= texts


def test_by_default_the_models_own_prompts_stay(
    lesson_of: Lessons, view: TrainView, trained_at_smoke: Callable[..., Any]
) -> None:
    assert lesson_of(ContrastivePretraining(budget="smoke"), view).prompts is None
    encoder = trained_at_smoke(ContrastivePretraining(budget="smoke")).fitted.encoder
    assert encoder.prompts == {"query": "", "document": ""}


def test_no_delimiter_keeps_the_models_prompts(view: TrainView, lesson_of: Lessons) -> None:
    lesson = lesson_of(ContrastivePretraining(budget="smoke", query_prefix=None, document_prefix="d: "), view)
    assert lesson.prompts == {"query": "", "document": "d: "}
