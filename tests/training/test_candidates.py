from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from harness.data.corpus import Corpus
from harness.data.dataset import TrainView
from harness.data.queries import Queries
from harness.methods import fit, index, search
from harness.methods.bm25 import BM25
from harness.methods.dense import Dense
from harness.runtime.context import Context
from harness.training.candidates import candidate_scores, scores_of_any, without_known


def test_scores_of_candidates_are_the_methods_own_for_each_query(
    view: TrainView, tiny_encoder: Any, context: Context, encoder: Any
) -> None:
    candidates = [np.array([3, 1], np.int64), np.zeros(0, np.int64), np.array([3, 50, 7], np.int64)]
    texts = ["bada", "kelo", "tumi"]
    found = candidate_scores(Dense(model=str(tiny_encoder)), texts, candidates, view, context)
    for text, rows, scores in zip(texts, candidates, found, strict=True):
        own = encoder.encode([text], "query")[0]
        expected = [float(encoder.encode([view.corpus.texts[int(r)]], "document")[0] @ own) for r in rows]
        assert scores.tolist() == pytest.approx(expected, abs=1e-5)


def test_unknown_candidates_are_neither_relevant_nor_copies_of_a_relevant_document_or_of_the_query() -> None:
    corpus = Corpus.of([("a", "", "one text"), ("b", "", "one  text"), ("c", "", "the query"), ("d", "", "another")])
    candidates = [np.array([3, 2, 1, 0])]
    left = without_known(Queries(["q"], ["the query"]), candidates, [np.array([0])], TrainView(corpus))
    assert [rows.tolist() for rows in left] == [[3]]


def test_a_method_that_only_searches_gives_the_scores_with_which_it_finds(context: Context) -> None:
    corpus = Corpus.of([("a", "", "wing lift"), ("b", "", "wing"), ("c", "", "drag"), ("d", "", "nothing of it")])
    queries = ["wing lift", "drag", "wing lift", "unknown"]
    rows = [np.array(some) for some in ([0, 3], [2, 0], [1, 0, 2], [0, 1])]
    found = scores_of_any(BM25(), queries, rows, TrainView(corpus), context)
    searcher = index(BM25(), fit(BM25(), TrainView(corpus), context), corpus, context)
    top = search(BM25(), searcher, Queries(["q"], ["wing lift"]), 4, context)
    own = {int(row): float(score) for row, score in zip(top.indices[0], top.scores[0], strict=True) if row >= 0}
    assert set(own) == {0, 1}
    assert found[0] == pytest.approx([own[0], own[1]])  # the last one that is found, for one that is not
    assert found[2] == pytest.approx([own[1], own[0], own[1]])
    assert found[1][0] >= found[1][1]
    assert found[3].tolist() == [0, 0]
