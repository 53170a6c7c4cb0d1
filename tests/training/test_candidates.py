from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from harness.data.corpus import Corpus
from harness.data.dataset import TrainView
from harness.data.queries import Queries
from harness.methods.dense import Dense
from harness.runtime.context import Context
from harness.training.candidates import candidate_scores, without_known


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
