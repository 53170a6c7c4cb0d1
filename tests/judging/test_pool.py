"""Pools: the joined tops of rankings."""

from __future__ import annotations

import numpy as np
import pytest

from harness.base.errors import HarnessError
from harness.data.corpus import Corpus
from harness.data.queries import Queries
from harness.judging.pool import Pool, pooled
from harness.rows import parse_method
from harness.runtime.context import Context

POOL = Pool((np.array([[4, 2, 9]]), np.array([[2, 7, -1]])))


def test_candidates_are_the_first_of_every_ranking() -> None:
    assert POOL.candidates(0, 2).tolist() == [2, 4, 7]
    assert POOL.candidates(0, 3, also=1).tolist() == [1, 2, 4, 7, 9]


def test_ranks_of_a_document() -> None:
    assert POOL.ranks(0, 2) == [2, 1]
    assert POOL.ranks(0, 9) == [3, None]


def test_rows_are_searched(context: Context) -> None:
    corpus = Corpus.of([("a", "", "red apple"), ("b", "", "green pear"), ("c", "", "red pear")])
    found = pooled([parse_method("bm25"), parse_method("bm25(k1=2.0)")], corpus, Queries(["q"], ["red"]), 2, context)
    assert [ranking.tolist() for ranking in found.rankings] == [[[2, 0]], [[2, 0]]]
    with pytest.raises(HarnessError, match="at least one row"):
        pooled([], corpus, Queries(["q"], ["red"]), 2, context)
