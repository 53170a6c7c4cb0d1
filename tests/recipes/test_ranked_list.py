"""Ranked list: lists of relevant documents, an α that fits the encoder, labels that name the documents."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from harness.data.corpus import Corpus
from harness.data.dataset import TrainView
from harness.data.queries import Labelled, Queries
from harness.methods.dense import Dense
from harness.recipes.ranked_list import RankedList
from harness.runtime.context import Context
from harness.training.gold import gold
from harness.training.lesson import Lesson

Lessons = Callable[..., Lesson]


@pytest.fixture
def uneven() -> TrainView:
    """Three queries with one, two and four relevant documents of nine."""
    corpus = Corpus.of(
        [(f"d{i}", "", f"wing {w}") for i, w in enumerate(["a", "b", "c", "d", "e", "f", "g", "h", "i"])]
    )
    qrels = {"q0": {"d0": 1}, "q1": {"d1": 1, "d2": 2}, "q2": {"d3": 1, "d4": 1, "d5": 1, "d6": 1, "d7": 0}}
    return TrainView(corpus, Labelled(Queries(list(qrels), ["wing a", "wing b", "wing c"]), qrels))


def test_a_query_stands_with_a_list_of_its_documents_and_mined_ones(lesson_of: Lessons, uneven: TrainView) -> None:
    lesson = lesson_of(RankedList(budget="smoke", positives=2, negatives=2), uneven)
    assert list(lesson.columns) == ["query", "positive_1", "positive_2", "negative_1", "negative_2"]
    labels = np.array(lesson.labels)
    assert labels.shape == (3, 2 + 2 + 2)
    assert labels[:, :2].tolist() == [[0, 0], [2, 1], [3, 4]]  # the best grade first; one that stands alone is repeated
    assert labels[:, 4:].tolist() == [[-1, -1], [-1, -1], [5, 6]]  # the others are no negatives of theirs
    texts = uneven.corpus.texts
    for place, name in enumerate(list(lesson.columns)[1:]):
        assert lesson.columns[name] == [texts[int(row)] for row in labels[:, place]]
    relevant = [{0}, {1, 2}, {3, 4, 5, 6}]
    for number, row in enumerate(labels):
        assert not set(row[2:4].tolist()) & relevant[number]
    assert lesson.order == "random"


def test_no_relevant_document_is_pushed_away_though_another_query_brings_it(
    lesson_of: Lessons, base_of: Callable[..., Any], context: Context
) -> None:
    corpus = Corpus.of([(f"d{i}", "", f"wing {w}") for i, w in enumerate(["a", "b", "c", "d"])])
    every = {f"d{i}": 1 for i in range(3)}
    view = TrainView(corpus, Labelled(Queries(["q0", "q1"], ["a", "b"]), {"q0": every, "q1": {"d2": 1}}))
    recipe = RankedList(budget="smoke", positives=1, negatives=1, alpha=2.0, margin=1.99, balance=1.0, temperature=0.0)
    lesson = lesson_of(recipe, view)
    model = base_of(recipe, context).fresh(context)
    with torch.no_grad():
        texts = [list(column) for column in lesson.columns.values()]
        found = lesson.loss(model)([model.preprocess(t) for t in texts], torch.tensor(lesson.labels)).item()
        vectors = model.encode(["a", "b", *corpus.texts[:]], normalize_embeddings=True)
    distance = np.sqrt(2 - 2 * vectors[:2] @ vectors[2:].T)
    numbers = np.array(lesson.labels)
    held = set(numbers[:, :2].ravel().tolist())
    others = [[j for j in held if j not in relevant] for relevant in ({0, 1, 2}, {2})]
    by_hand = np.mean([np.mean([2.0 - distance[i, j] for j in row]) if row else 0 for i, row in enumerate(others)])
    assert 2 in held
    assert found == pytest.approx(by_hand, rel=1e-3)


def test_alpha_is_the_median_distance_of_the_mined_negatives_and_half_the_margin(
    lesson_of: Lessons, base_of: Callable[..., Any], view: TrainView, context: Context, tiny_encoder: Path
) -> None:
    recipe = RankedList(budget="smoke", margin=0.1, miners=(Dense(str(tiny_encoder)),))
    lesson = lesson_of(recipe, view)
    encoder = base_of(recipe, context).encoder
    texts = gold(view, context).queries.texts
    queries = encoder.encode(texts, "query")
    distances = []
    for number, row in enumerate(np.array(lesson.labels)[:, 2:5]):
        documents = encoder.encode([view.corpus.texts[int(r)] for r in row], "document")
        distances.extend(float(np.linalg.norm(queries[number] - document)) for document in documents)
    assert lesson.facts["alpha"] == pytest.approx(np.median(distances) + 0.05, abs=1e-3)
    assert lesson.facts["inner_radius"] == pytest.approx(lesson.facts["alpha"] - 0.1, abs=1e-4)


def test_an_alpha_that_is_named_is_taken(lesson_of: Lessons, view: TrainView) -> None:
    facts = lesson_of(RankedList(budget="smoke", alpha=1.2), view).facts
    assert (facts["alpha"], facts["inner_radius"]) == (1.2, 0.8)


def test_alpha_stays_on_the_sphere_and_beyond_the_margin(
    lesson_of: Lessons, view: TrainView, tiny_encoder: Path
) -> None:
    wide = lesson_of(RankedList(budget="smoke", margin=1.1, miners=(Dense(str(tiny_encoder)),)), view).facts
    assert 1.1 < wide["alpha"] <= 2
