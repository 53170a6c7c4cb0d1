from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.bench.caveats import by_relevance, caveats
from harness.data.measures import means, parse_measures, per_query

NDCG = parse_measures(["nDCG@10"])
QRELS = {"q1": {"a": 1}, "q2": {"b": 2, "a": 0}}


def test_unanswered_queries_are_counted_whether_they_are_absent_or_empty() -> None:
    told = ["2 of 3 queries are unanswered: they count 0"]
    assert caveats(NDCG, QRELS | {"q3": {"a": 1}}, [("q1", ["a"], [1.0]), ("q2", [], [])]) == told
    assert caveats(NDCG, QRELS, [("q1", ["a"], [1.0]), ("q2", ["b"], [1.0])]) == []


def test_rankings_without_anything_relevant_are_noted() -> None:
    (told,) = caveats(NDCG, QRELS, [("q1", ["b"], [1.0]), ("q2", ["a"], [1.0])])
    assert told == "no ranking has a relevant document: are the rankings of this collection?"


def test_ties_that_decide_are_noted_with_what_they_can_do() -> None:
    copies = [f"x{n:03}" for n in range(99)]
    (told,) = caveats(NDCG, QRELS, [("q1", [*copies, "a"], [1.0] * 100), ("q2", ["b"], [1.0])])
    assert told == (
        "equal scores decide in 1 of 2 queries: nDCG@10 is between 0.5000 and 1.0000 by their order (ties go by "
        "document id, "
        "descending)"
    )


def test_ties_that_decide_nothing_are_not_noted() -> None:
    judged = {"q1": {"a": 1, "b": 1}}
    assert caveats(NDCG, judged, [("q1", ["b", "a", "x", "y"], [2.0, 2.0, 1.0, 1.0])]) == []
    beyond = [f"x{n}" for n in range(10)]
    assert (
        caveats(NDCG, judged, [("q1", ["a", *beyond, "b", "y"], [float(n) for n in range(12, 1, -1)] + [1.0, 1.0])])
        == []
    )


@given(
    st.lists(st.sampled_from([0.0, 1.0, 2.0]), min_size=1, max_size=6),
    st.lists(st.integers(0, 2), min_size=6, max_size=6),
)
def test_the_range_is_that_of_all_orders_of_equal_scores(scores: list[float], grades: list[int]) -> None:
    scores = sorted(scores, reverse=True)
    names = [f"d{n}" for n in range(len(scores))]
    judged = {"q": {"lost": 1, **dict(zip(names, grades, strict=False))}}
    (measure,) = parse_measures(["nDCG@3"])

    def value(order: list[str]) -> float:
        return means(per_query([measure], judged, [("q", order, [])]))["nDCG@3"]

    of = dict(zip(names, scores, strict=True))
    groups = [[name for name in names if of[name] == score] for score in sorted(set(scores), reverse=True)]
    every = [
        value([d for group in order for d in group])
        for order in itertools.product(*map(itertools.permutations, groups))
    ]
    worst, best = (value(by_relevance(names, scores, judged["q"], best=good, depth=3)) for good in (False, True))
    assert (worst, best) == (pytest.approx(min(every)), pytest.approx(max(every)))
