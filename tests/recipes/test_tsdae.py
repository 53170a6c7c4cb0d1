"""TSDAE: what the damaged copy keeps, and what the decoder starts from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from harness.data.corpus import Corpus
from harness.data.dataset import TrainView
from harness.recipes.tsdae import TSDAE, damaged
from harness.runtime.context import Context
from harness.training.lesson import Lesson


def is_part(part: list[str], whole: list[str]) -> bool:
    rest = iter(whole)
    return all(word in rest for word in part)


@pytest.mark.parametrize("delete", [0.01, 0.3, 0.6, 0.99])
def test_words_go_and_those_that_stay_keep_their_order(delete: float) -> None:
    rng = np.random.default_rng(0)
    words = [f"w{i}" for i in range(50)]
    sizes = []
    for _ in range(200):
        kept = damaged(" ".join(words), delete, rng).split()
        assert kept
        assert is_part(kept, words)
        sizes.append(len(kept))
    assert np.mean(sizes) == pytest.approx(max(50 * (1 - delete), 1), abs=1)


def test_one_word_always_stays() -> None:
    rng = np.random.default_rng(0)
    assert {damaged("alone", 0.99, rng) for _ in range(50)} == {"alone"}
    assert {damaged("one two", 0.999, rng) for _ in range(200)} == {"one", "two"}


def test_an_example_is_a_damaged_text_and_the_whole_one(lesson_of: Callable[..., Lesson]) -> None:
    corpus = Corpus.of([(str(i), "", f"a{i} b{i} c{i} d{i} e{i}") for i in range(30)] + [("empty", "", " ")])
    lesson = lesson_of(TSDAE(budget="full"), TrainView(corpus))
    assert list(lesson.columns) == ["damaged", "text"]
    assert lesson.columns["text"] == corpus.texts[:30]
    assert lesson.facts == {"texts": 30}
    for part, whole in zip(*lesson.columns.values(), strict=True):
        assert is_part(part.split(), whole.split())
    share = sum(len(d.split()) for d in lesson.columns["damaged"]) / 150
    assert 0.3 < share < 0.5


def test_so_many_texts_are_drawn_as_asked(lesson_of: Callable[..., Lesson], view: TrainView) -> None:
    few = lesson_of(TSDAE(budget="smoke", texts=7), view)
    assert len(few) == 7
    assert set(few.columns["text"]) < set(view.corpus.texts[:])
    other = lesson_of(TSDAE(budget="smoke", texts=7), view, Context(cache=Context().cache, seed=1))
    assert other.columns["text"] != few.columns["text"]


def test_encoder_and_decoder_share_their_weights(
    lesson_of: Callable[..., Lesson], base_of: Callable[..., Any], view: TrainView, context: Context
) -> None:
    recipe = TSDAE(budget="smoke")
    base = base_of(recipe, context)
    model = base.fresh(context)
    loss: Any = lesson_of(recipe, view).loss(model)
    mine = {id(p) for p in model.parameters()}
    decoder = dict(loss.decoder.named_parameters())
    shared = [name for name, p in decoder.items() if id(p) in mine]
    assert any("word_embeddings" in name for name in shared)
    assert any("layer.1.attention.self.query" in name for name in shared)
    assert all("crossattention" in n or "cls" in n or "lm_head" in n for n in decoder if n not in shared)
