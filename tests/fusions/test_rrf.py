"""Reciprocal rank fusion against slow loops over the paper's formula."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.base.errors import SettingError
from harness.data.corpus import Corpus
from harness.data.ranking import TopK, stack
from harness.fusions.rrf import RRF

CORPUS = Corpus.of([(f"d{i}", "", "") for i in range(9)])
RANKING = st.lists(st.integers(0, 8), unique=True)


def top_of(*rankings: list[int]) -> TopK:
    """Rankings of several queries; the scores are nobody's business."""
    return stack([(np.array(rows, np.int64), np.zeros(len(rows), np.float32)) for rows in rankings], 9)


def by_definition(rankings: list[list[int]], k: int) -> list[tuple[int, float]]:
    scores: dict[int, float] = {}
    for ranking in rankings:
        for rank, row in enumerate(ranking, start=1):
            scores[row] = scores.get(row, 0.0) + 1 / (k + rank)
    rounded = {row: float(np.float32(score)) for row, score in scores.items()}
    return sorted(rounded.items(), key=lambda item: (item[1], f"d{item[0]}"), reverse=True)


THREE = st.lists(RANKING, min_size=3, max_size=3)


@given(queries=st.lists(THREE, min_size=1, max_size=3), k=st.integers(0, 100), depth=st.integers(1, 10))
def test_scores_and_order_are_those_of_the_formula(queries: list[list[list[int]]], k: int, depth: int) -> None:
    tops = [top_of(*(rankings[m] for rankings in queries)) for m in range(3)]
    fused = RRF(k).fuse(tops, CORPUS.id_order, depth)
    for (rows, scores), rankings in zip(fused.rows(), queries, strict=True):
        assert list(zip(rows.tolist(), scores.tolist(), strict=True)) == by_definition(rankings, k)[:depth]


def test_the_papers_k_is_60_and_ranks_start_at_1() -> None:
    fused = RRF().fuse([top_of([3, 1]), top_of([1])], CORPUS.id_order, 5)
    assert fused.indices[0, :2].tolist() == [1, 3]
    assert fused.scores[0, :2].tolist() == pytest.approx([1 / 62 + 1 / 61, 1 / 61])


def test_scores_of_the_rankings_do_not_count() -> None:
    one, two = top_of([3, 1, 2]), top_of([2, 1])
    louder = TopK(one.indices, one.scores * 1000 + 5)
    fused = [RRF().fuse([first, two], CORPUS.id_order, 9) for first in (one, louder)]
    assert fused[0].scores.tolist() == fused[1].scores.tolist()


def test_documents_at_the_same_ranks_are_tied_and_the_greater_id_comes_first() -> None:
    fused = RRF().fuse([top_of([3, 7]), top_of([7, 3])], CORPUS.id_order, 5)
    assert fused.indices[0, :2].tolist() == [7, 3]
    assert fused.scores[0, 0] == fused.scores[0, 1]


@given(st.lists(RANKING, min_size=2, max_size=2))
def test_two_rankings_may_change_places(rankings: list[list[int]]) -> None:
    tops = [top_of(ranking) for ranking in rankings]
    assert (
        RRF().fuse(tops, CORPUS.id_order, 9).indices.tolist()
        == RRF().fuse(tops[::-1], CORPUS.id_order, 9).indices.tolist()
    )


def test_there_is_nothing_to_choose() -> None:
    assert list(RRF().candidates_for_dev(5)) == []


def test_a_k_below_0_is_refused() -> None:
    assert RRF(0).k == 0
    with pytest.raises(SettingError, match="rrf: k must be 0 or more, not -1"):
        RRF(-1)
