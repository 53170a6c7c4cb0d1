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
from harness.methods import fit
from harness.methods.dense import Dense
from harness.recipes.ranked_list import RankedList
from harness.recipes.supervised import Supervised
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


def test_the_radius_does_not_depend_on_how_near_the_mined_negatives_are(
    lesson_of: Lessons, view: TrainView, tiny_encoder: Path
) -> None:
    for miners in ((Dense(str(tiny_encoder)),), ()):
        facts = lesson_of(RankedList(budget="smoke", miners=miners), view).facts
        assert (facts["alpha"], facts["inner_radius"]) == (1.1, 0.8)


def test_an_alpha_that_is_named_is_taken(lesson_of: Lessons, view: TrainView) -> None:
    facts = lesson_of(RankedList(budget="smoke", alpha=1.5, margin=0.2), view).facts
    assert (facts["alpha"], facts["inner_radius"]) == (1.5, 1.3)


def test_without_an_alpha_almost_all_random_documents_are_outside(lesson_of: Lessons, view: TrainView) -> None:
    facts = lesson_of(RankedList(budget="smoke", alpha=None, margin=0.1), view).facts
    assert facts["random_inside"] <= 0.05
    assert lesson_of(RankedList(budget="smoke", alpha=None, margin=1.1), view).facts["alpha"] > 1.1


def test_how_documents_lie_to_the_radii_before_training_is_recorded(
    lesson_of: Lessons, base_of: Callable[..., Any], view: TrainView, context: Context
) -> None:
    recipe = RankedList(budget="smoke", alpha=1.3, margin=0.2)
    lesson = lesson_of(recipe, view)
    encoder = base_of(recipe, context).encoder
    known = gold(view, context)
    queries = encoder.encode(list(known.queries.texts), "query")
    documents = encoder.encode(view.corpus.texts[:], "document")
    distances = np.sqrt(np.maximum(0, 2 - 2 * queries @ documents.T))
    relevant = np.zeros_like(distances, dtype=bool)
    for number, rows in enumerate(known.relevant):
        relevant[number, rows] = True
    assert lesson.facts["positives_outside"] == pytest.approx((distances[relevant] > 1.1).mean(), abs=1e-3)
    assert lesson.facts["random_inside"] == pytest.approx((distances[~relevant] < 1.3).mean(), abs=0.15)
    wide = lesson_of(RankedList(budget="smoke", alpha=2.0), view)
    assert wide.facts["random_inside"] > 0.9
    assert "of random documents are within alpha=2.00 of a query before training" in wide.notes[0]


def test_it_reads_as_much_of_a_text_as_supervised_does() -> None:
    for budget in ("small", "full"):
        assert RankedList(budget=budget).schedule().max_length == Supervised(budget=budget).schedule().max_length


def test_a_document_that_is_in_the_batch_twice_is_encoded_once(
    lesson_of: Lessons, base_of: Callable[..., Any], uneven: TrainView, context: Context
) -> None:
    recipe = RankedList(budget="smoke", positives=2, negatives=2)
    lesson = lesson_of(recipe, uneven)
    model = base_of(recipe, context).fresh(context)
    loss: Any = lesson.loss(model)
    seen: list[int] = []
    model.register_forward_pre_hook(lambda module, given: seen.append(len(given[0]["input_ids"])))
    value = loss([model.preprocess(list(c)) for c in lesson.columns.values()], torch.tensor(lesson.labels))
    distinct = {text for name, column in lesson.columns.items() if name != "query" for text in column}
    assert sum(seen) == 3 + len(distinct)
    assert len(distinct) < 3 * 4
    value.backward()
    assert loss.loss.non_trivial.points()[0][0] == 1


def test_the_share_of_pairs_that_teach_is_recorded_by_step(view: TrainView, row: Any, context: Context) -> None:
    facts = fit(row(RankedList(budget="smoke", alpha=1.9)), view, context).resolved["training"][0]["facts"]
    assert [step for step, _ in facts["non_trivial"]] == [1, 2, 3, 4]
    assert all(0 < share <= 1 for _, share in facts["non_trivial"])


def test_the_weights_are_pulled_towards_those_before_training(view: TrainView, row: Any, context: Context) -> None:
    moved = []
    for decay in (0.0, 100.0):
        recipe = RankedList(budget="smoke", decay=decay, learning_rate=1e-3, choose="last")
        fitted = fit(row(recipe), view, context)
        before = fit(row(recipe).untrained, view, context)
        texts = view.corpus.texts[:4]
        moved.append(np.abs(fitted.encoder.encode(texts, "document") - before.encoder.encode(texts, "document")).max())
    assert moved[1] < 0.7 * moved[0]
