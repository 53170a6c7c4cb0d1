from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.base.errors import ModelError
from harness.data.dataset import TrainView
from harness.methods import fit
from harness.methods.bm25 import BM25
from harness.methods.dense import Dense
from harness.runtime.context import Context
from harness.training.guide import Guide, guide_vectors
from harness.training.lesson import Lesson

COLUMNS = {
    "query": ["bado", "a much longer question about kelo and mira", "tu", "x y z", "bado"],
    "positive": ["the first", "second text, which is longer than the first by far", "third", "4", "fifth, again"],
    "negative_1": ["third", "bado", "", "word " * 90, "one more"],
}
SIDES = {"query": "query", "positive": "document", "negative_1": "document"}
PROMPTS = {"query": "ask: ", "positive": "", "negative_1": ""}


def guide_of(tiny_encoder: Path) -> Dense:
    return Dense(model=str(tiny_encoder), query_prompt="guide question ", document_prompt="guide text ")


@pytest.mark.parametrize("prompts", [{}, PROMPTS, {"query": "ask: ", "positive": "read: ", "negative_1": "read: "}])
@pytest.mark.parametrize("seed", range(3))
def test_a_batch_of_any_order_and_padding_gets_the_guides_own_vectors(
    view: TrainView, tiny_encoder: Path, context: Context, fresh: Callable[[], Any], prompts: dict[str, str], seed: int
) -> None:
    method = guide_of(tiny_encoder)
    held = guide_vectors(method, COLUMNS, SIDES, view, context)  # type: ignore[arg-type]
    encoder = fit(method, view, context).encoder  # type: ignore[attr-defined]
    model = fresh()
    module = held.module(model, prompts)
    first: dict[str, str] = {}  # without prompts of the student's own, a text has one vector, that of its first column
    for name, texts in COLUMNS.items():
        for text in texts:
            first.setdefault(f"{prompts.get(name, '')}{text}", name)
    rng = random.Random(seed)
    for name, texts in COLUMNS.items():
        for size in (1, 2, 5):
            batch = rng.sample(texts, size)
            features = model.preprocess(batch, prompt=prompts.get(name) or None)
            found = module(features)["sentence_embedding"].numpy()
            for text, vector in zip(batch, found, strict=True):
                side = SIDES[first[f"{prompts.get(name, '')}{text}"]]
                expected = encoder.encode([text], side)[0]
                np.testing.assert_allclose(vector, expected, atol=1e-5)


def test_a_left_padded_batch_is_the_same_batch(
    view: TrainView, tiny_encoder: Path, context: Context, fresh: Any
) -> None:
    model = fresh()
    module = guide_vectors(guide_of(tiny_encoder), COLUMNS, SIDES, view, context).module(model, {})  # type: ignore[arg-type]
    right = module(model.preprocess(COLUMNS["positive"]))["sentence_embedding"]
    model.tokenizer.padding_side = "left"
    left = module(model.preprocess(COLUMNS["positive"]))["sentence_embedding"]
    assert left.tolist() == right.tolist()


def test_a_text_that_was_not_asked_about_is_not_guessed(
    view: TrainView, tiny_encoder: Path, context: Context, fresh: Any
) -> None:
    model = fresh()
    module = guide_vectors(guide_of(tiny_encoder), COLUMNS, SIDES, view, context).module(model, {})  # type: ignore[arg-type]
    with pytest.raises(KeyError):
        module(model.preprocess(["never seen"]))


def test_the_students_length_decides_which_texts_are_one(fresh: Callable[[], Any]) -> None:
    model = fresh()
    model.max_seq_length = 4
    vectors = {"a": np.array([[1.0], [2.0], [3.0]], np.float32)}
    module = Guide({"a": ["b c d", "b c e", "x"]}, vectors, {}).module(model, {})
    found = module(model.preprocess(["b c e", "x", "b c d"]))["sentence_embedding"]
    assert found.tolist() == [[1.0], [3.0], [1.0]]


def test_its_facts_name_the_guide_and_its_weights(view: TrainView, tiny_encoder: Path, context: Context) -> None:
    method = guide_of(tiny_encoder)
    facts = guide_vectors(method, COLUMNS, SIDES, view, context).facts  # type: ignore[arg-type]
    assert facts == {"guide": str(method), "guide_sha": method.inputs(context)[str(tiny_encoder)]}


def test_a_guide_without_vectors_is_refused_by_name(view: TrainView, context: Context) -> None:
    with pytest.raises(ModelError, match=r"bm25 cannot guide: it has no vectors\. A guide is a dense row"):
        guide_vectors(BM25(), COLUMNS, SIDES, view, context)  # type: ignore[arg-type]


def test_the_trainers_batches_are_found_with_prompts_on(
    view: TrainView, tiny_encoder: Path, context: Context, lesson_of: Callable[..., Lesson], learn: Callable[..., Any]
) -> None:
    usual = lesson_of()
    held = guide_vectors(guide_of(tiny_encoder), usual.columns, usual.sides, view, context)

    def loss(model: Any) -> Any:
        from sentence_transformers.sentence_transformer.losses import GISTEmbedLoss

        return GISTEmbedLoss(model, held.module(model, {"query": "ask: ", "positive": ""}))

    _, report = learn(lesson_of(loss=loss, steps=4, evaluations=1), prompts={"query": "ask: ", "document": ""})
    assert report.steps == 4


def test_more_texts_than_are_tokenized_at_once_each_keep_their_vector(fresh: Callable[[], Any]) -> None:
    model = fresh()
    texts = [str(i) for i in range(1100)]
    vectors = {"a": np.arange(1100, dtype=np.float32)[:, None]}
    module = Guide({"a": texts}, vectors, {}).module(model, {})
    for batch in (["0", "511", "512"], ["1024", "3", "1099"]):
        assert module(model.preprocess(batch))["sentence_embedding"][:, 0].tolist() == [float(text) for text in batch]


@pytest.mark.parametrize(("margin", "relative", "share"), [(0.0, False, 0.5), (0.2, False, 0.75), (-0.7, True, 0.25)])
def test_a_mined_negative_is_masked_if_the_guide_scores_it_above_the_positive_less_the_margin(
    margin: float, relative: bool, share: float
) -> None:
    def unit(*cosines: float) -> Any:
        return 3 * np.array([[c, np.sqrt(1 - c * c)] for c in cosines], np.float32)

    vectors = {"query": unit(1, 1), "positive": unit(0.5, 0.5)}
    vectors |= {"negative_1": unit(0.9, 0.6), "negative_2": unit(0.1, 0.4)}
    held = Guide({name: ["", ""] for name in vectors}, vectors, {})
    assert held.masked_negatives(margin, relative=relative) == share


def test_without_mined_negatives_none_is_masked() -> None:
    one = np.ones((2, 2), np.float32)
    assert Guide({}, {"query": one, "positive": one}, {}).masked_negatives() is None
