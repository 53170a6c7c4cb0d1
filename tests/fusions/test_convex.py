"""Convex combination against slow loops over the formula."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.base.errors import SettingError
from harness.data.corpus import Corpus
from harness.data.ranking import TopK, select, stack
from harness.fusions.convex import Convex

CORPUS = Corpus.of([(f"d{i}", "", "") for i in range(9)])
SCORES = st.floats(-100, 100, width=32) | st.sampled_from([0.0, 1.0, 2.0])
RANKING = st.dictionaries(st.integers(0, 8), SCORES)
NORMALISE = st.sampled_from(["minmax", "zscore"])


def top_of(*rankings: dict[int, float]) -> TopK:
    parts = [
        select(np.array(list(r), np.int64), np.array(list(r.values()), np.float32), CORPUS.id_order, 9)
        for r in rankings
    ]
    return stack(parts, 9)


def normal(ranking: dict[int, float], how: str) -> tuple[dict[int, float], float]:
    """Normalised scores, and what a document gets that the ranking does not hold."""
    values = list(ranking.values())
    if how == "minmax":
        low, high = min(values), max(values)
        scores = {row: (s - low) / (high - low) if high > low else 1.0 for row, s in ranking.items()}
        return scores, 0.0
    mean = sum(values) / len(values)
    deviation = math.sqrt(sum((s - mean) ** 2 for s in values) / len(values))
    scores = {row: (s - mean) / deviation if deviation > 0 else 0.0 for row, s in ranking.items()}
    return scores, min(scores.values())


def by_definition(rankings: list[dict[int, float]], weight: float, how: str) -> dict[int, float]:
    total = dict.fromkeys([row for ranking in rankings for row in ranking], 0.0)
    for share, ranking in zip((1 - weight, weight), rankings, strict=True):
        if ranking:
            scores, absent = normal(ranking, how)
            for row in total:
                total[row] += share * scores.get(row, absent)
    return total


@given(
    queries=st.lists(st.tuples(RANKING, RANKING), min_size=1, max_size=3),
    weight=st.floats(0, 1),
    how=NORMALISE,
    k=st.integers(1, 9),
)
def test_scores_are_those_of_the_formula(
    queries: list[tuple[dict[int, float], dict[int, float]]], weight: float, how: str, k: int
) -> None:
    tops = [top_of(*(pair[m] for pair in queries)) for m in (0, 1)]
    fused = Convex(weight, how).fuse(tops, CORPUS.id_order, k)  # type: ignore[arg-type]
    for (rows, scores), pair in zip(fused.rows(), queries, strict=True):
        expected = by_definition(list(pair), weight, how)
        best = sorted(expected.values(), reverse=True)[:k]
        assert scores.tolist() == pytest.approx(best, abs=1e-3 if how == "zscore" else 1e-6)
        assert [expected[row] for row in rows.tolist()] == pytest.approx(best, abs=1e-3 if how == "zscore" else 1e-6)


def test_an_example_by_hand() -> None:
    one, two = top_of({0: 10.0, 1: 6.0, 2: 2.0}), top_of({1: 0.9, 3: 0.5})
    fused = Convex(weight=0.25).fuse([one, two], CORPUS.id_order, 9)
    assert dict(zip(fused.indices[0].tolist(), fused.scores[0].tolist(), strict=True)) == {
        0: 0.75,
        1: 0.75 * 0.5 + 0.25,
        2: 0.0,
        3: 0.0,
        -1: -math.inf,
    }
    assert fused.indices[0, :4].tolist() == [0, 1, 3, 2]


@pytest.mark.parametrize(("weight", "first"), [(0.0, [0, 1]), (1.0, [1, 0])])
def test_at_the_ends_one_ranking_decides(weight: float, first: list[int]) -> None:
    tops = [top_of({0: 2.0, 1: 1.0, 2: 0.0}), top_of({1: 2.0, 0: 1.0, 2: 0.0})]
    assert Convex(weight).fuse(tops, CORPUS.id_order, 2).indices[0].tolist() == first


QUARTERS = st.dictionaries(st.integers(0, 8), st.integers(-400, 400).map(lambda n: n / 4), min_size=1)


@given(ranking=QUARTERS, scale=st.sampled_from([0.5, 2.0, 1024.0]))
def test_the_scale_of_a_rankings_scores_does_not_matter(ranking: dict[int, float], scale: float) -> None:
    other = top_of({0: 3.0, 4: 1.0, 8: 2.0})
    scaled = {row: score * scale for row, score in ranking.items()}
    for how in ("minmax", "zscore"):
        fusion = Convex(0.5, how)  # type: ignore[arg-type]
        plain = fusion.fuse([top_of(ranking), other], CORPUS.id_order, 9)
        assert fusion.fuse([top_of(scaled), other], CORPUS.id_order, 9).scores == pytest.approx(plain.scores, abs=1e-5)


@pytest.mark.parametrize("one", [{7: 3.0}, {7: 3.0, 5: 3.0}, {7: 0.0}])
def test_a_ranking_whose_scores_are_all_equal_still_counts_for_what_it_holds(one: dict[int, float]) -> None:
    """A rare term that one document alone holds is BM25's strongest word, and must not be lost."""
    two = {0: 3.0, 1: 2.0, 2: 1.0}
    fused = Convex(0.4).fuse([top_of(one), top_of(two)], CORPUS.id_order, 9)
    assert fused.indices[0, 0] == 7
    assert fused.scores[0, 0] == pytest.approx(0.6)


def test_documents_with_equal_scores_in_both_are_tied_and_the_greater_id_comes_first() -> None:
    one, two = top_of({3: 1.0, 7: 1.0, 0: 0.5}), top_of({3: 0.1, 7: 0.1, 0: 0.3})
    assert Convex(0.3).fuse([one, two], CORPUS.id_order, 2).indices[0].tolist() == [7, 3]


def test_where_nothing_was_chosen_the_mixture_is_even() -> None:
    tops = [top_of({0: 2.0, 1: 1.0}), top_of({1: 2.0, 2: 1.0})]
    assert (
        Convex().fuse(tops, CORPUS.id_order, 9).scores.tolist()
        == Convex(0.5).fuse(tops, CORPUS.id_order, 9).scores.tolist()
    )


def test_dev_chooses_among_weights_in_steps_of_005_the_even_mixture_first() -> None:
    choices = Convex(normalise="zscore").candidates_for_dev(2)
    weights = [choice.weight for choice in choices]
    assert weights[:3] == [0.5, 0.45, 0.55]
    assert weights[-2:] == [0.0, 1.0]
    assert sorted(w for w in weights if w is not None) == pytest.approx([i / 20 for i in range(21)])
    assert {choice.normalise for choice in choices} == {"zscore"}


def test_a_weight_that_is_given_is_not_chosen() -> None:
    assert list(Convex(0.2).candidates_for_dev(2)) == []


@pytest.mark.parametrize("methods", [1, 3])
def test_two_rankings_are_fused_and_no_other_number(methods: int) -> None:
    with pytest.raises(SettingError, match=rf"convex fuses two methods, not {methods}; use fusion=rrf"):
        Convex(0.5).candidates_for_dev(methods)
    with pytest.raises(ValueError, match="zip"):
        Convex(0.5).fuse([top_of({0: 1.0})] * methods, CORPUS.id_order, 3)


@pytest.mark.parametrize("weight", [-0.01, 1.01, math.nan, math.inf])
def test_a_weight_out_of_range_is_refused(weight: float) -> None:
    with pytest.raises(SettingError, match="convex: weight must be between 0 and 1"):
        Convex(weight)


def test_a_normalisation_that_is_not_known_is_refused() -> None:
    with pytest.raises(SettingError, match='convex: normalise must be one of "minmax", "zscore", not "l2"'):
        Convex(normalise="l2")  # type: ignore[arg-type]
