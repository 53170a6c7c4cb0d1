"""Memory against a slow computation of its own, and what it must not see."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.base.errors import SettingError
from harness.data.corpus import Corpus
from harness.data.dataset import Dataset, TrainView
from harness.data.queries import Labelled, Queries
from harness.data.ranking import select
from harness.methods import NO_LABELS, TRAIN_LABELS, fit, index, search
from harness.methods.bm25 import BM25
from harness.methods.dense import Dense
from harness.methods.memory import Memory, chosen, labels
from harness.rows import parse_method
from harness.runtime.context import Context


def top(method: Any, view: TrainView, queries: Queries, context: Context) -> Any:
    return search(method, index(method, fit(method, view, context), view.corpus, context), queries, 10, context)


@pytest.mark.parametrize("similarity", ["cosine", "dot"])
def test_documents_move_towards_their_queries_as_by_hand(
    small: Dataset, tiny_encoder: Path, context: Context, similarity: str
) -> None:
    view, dense = small.train, Dense(str(tiny_encoder), similarity=similarity)
    encoder: Any = fit(dense, view, context).encoder  # type: ignore[attr-defined]
    assert view.train is not None
    assert view.dev is not None
    vectors = encoder.encode(view.corpus.texts[:], "document").astype(np.float64)
    moved = vectors.copy()
    for row in range(len(view.corpus)):
        total, weight = np.zeros(vectors.shape[1]), 0.0
        for split in (view.train, view.dev):
            for query, text in zip(split.queries.ids, split.queries.texts, strict=True):
                grade = split.qrels[query].get(view.corpus[row].id, 0)
                if grade > 0:
                    total += grade * encoder.encode([text], "query")[0]
                    weight += grade
        if weight:
            moved[row] = vectors[row] + 0.7 * total / weight
            if similarity == "cosine":
                moved[row] /= np.linalg.norm(moved[row])
    assert not np.allclose(moved, vectors)
    found = top(Memory(dense, beta=0.7), view, small.test.queries, context)
    for number, text in enumerate(small.test.queries.texts):
        scores = (moved @ encoder.encode([text], "query")[0]).astype(np.float32)
        _, values = select(np.arange(len(scores)), scores, view.corpus.id_order, 10)
        assert found.scores[number] == pytest.approx(values, abs=1e-5)
        near = np.flatnonzero(scores >= values[5] - 1e-5)
        assert set(found.indices[number][:5].tolist()) <= set(near.tolist())


def test_texts_grow_by_their_queries_as_by_hand(context: Context) -> None:
    corpus = Corpus.of([("a", "Title", "red apple"), ("b", "", "green pear"), ("c", "", "blue sky")])
    qrels = {"1": {"a": 1, "b": 0}, "2": {"a": 2, "b": 1}}
    train = Labelled(Queries(["1", "2"], ["sweet fruit", "round fruit"]), qrels)
    view = TrainView(corpus, train)
    grown = Corpus.of(
        [
            ("a", "Title", "red apple sweet fruit round fruit sweet fruit round fruit"),
            ("b", "", "green pear round fruit round fruit"),
            ("c", "", "blue sky"),
        ]
    )
    asked = Queries(["x", "y"], ["sweet apple", "round pear"])
    found = top(Memory(BM25(), beta=2), view, asked, context)
    by_hand = top(BM25(), TrainView(grown), asked, context)
    assert np.array_equal(found.indices, by_hand.indices)
    assert np.array_equal(found.scores, by_hand.scores)


def test_part_of_a_query_cannot_be_added_to_a_text(small: Dataset, context: Context) -> None:
    with pytest.raises(SettingError, match=r"beta must be whole, not 0\.5"):
        fit(Memory(BM25(), beta=0.5), small.train, context)


def test_nothing_to_remember_leaves_the_row_as_it_is(small: Dataset, tiny_encoder: Path, context: Context) -> None:
    view = TrainView(small.corpus)
    dense = Dense(str(tiny_encoder))
    fitted = fit(Memory(dense), view, context)
    assert (fitted.supervision, fitted.resolved["beta"]) == (NO_LABELS, 0.0)
    assert "no training or dev queries" in fitted.notes[0]
    found, plain = (top(row, view, small.test.queries, context) for row in (Memory(dense), dense))
    assert np.array_equal(found.indices, plain.indices)


def test_beta_is_chosen_on_queries_that_the_memory_has_not_seen(
    small: Dataset, tiny_encoder: Path, context: Context
) -> None:
    known = labels(small.train)
    seen: list[tuple[set[str], set[str], float]] = []

    class Spy:
        def __init__(self, others: Labelled, beta: float) -> None:
            self.others, self.beta = set(others.queries.ids), beta

        def search(self, queries: Queries, k: int) -> Any:
            seen.append((self.others, set(queries.ids), self.beta))
            return top(BM25(), small.train, queries, context).cut(k)

    def searched(corpus: Corpus, others: Labelled, beta: float) -> Any:
        return Spy(others, beta)

    scores = chosen(known, small.corpus, searched, (0.0, 1.0), 5, context)
    assert list(scores) == [0.0, 1.0]
    assert all(not others & asked and others | asked == set(known.queries.ids) for others, asked, _ in seen)
    assert sorted(query for _, asked, beta in seen if beta == 0.0 for query in asked) == sorted(known.queries.ids)


def test_it_is_a_control_that_used_train_labels(small: Dataset, tiny_encoder: Path, context: Context) -> None:
    row = Memory(Dense(str(tiny_encoder)))
    assert row.control
    fitted = fit(row, small.train, context)
    assert fitted.supervision == TRAIN_LABELS
    assert fitted.resolved["scores"][f"{fitted.resolved['beta']:g}"] == max(fitted.resolved["scores"].values())
    assert parse_method("memory(bm25)") == Memory(BM25())
    assert parse_method("hybrid(methods=(bm25, memory))").nested() is not None
