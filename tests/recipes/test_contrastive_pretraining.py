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
from harness.recipes.contrastive_pretraining import ContrastivePretraining
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


def test_documents_of_one_chunk_are_refused_with_what_to_do(lesson_of: Lessons) -> None:
    with pytest.raises(SettingError, match=r'no document has two chunks of 60 words; lower words, or use pairs="gold"'):
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
    texts = trained_at_smoke(ContrastivePretraining(budget="smoke")).texts
    assert sealed.dev is not None
    assert {f"query: {t}" for t in sealed.dev.queries.texts} <= texts


def test_no_delimiter_keeps_the_models_prompts(view: TrainView, lesson_of: Lessons) -> None:
    lesson = lesson_of(ContrastivePretraining(budget="smoke", query_prefix=None, document_prefix="d: "), view)
    assert lesson.prompts == {"query": "", "document": "d: "}
