"""Unjudged documents, by hand."""

from __future__ import annotations

import math

import pytest

from harness.bench.unjudged import all_relevant, unjudged
from harness.data.measures import parse_measures

QRELS = {"one": {"a": 2, "b": 0}, "two": {"c": 1}}
RUN = [("one", ["x", "a", "y", "b"], []), ("other", ["a"], [])]


def test_what_is_judged_is_counted_within_the_cutoff_over_all_that_is_shown() -> None:
    found = unjudged(parse_measures(["nDCG@3", "P@4"]), QRELS, RUN)
    assert found["nDCG@3"]["judged"] == pytest.approx(1 / 3, abs=1e-6)
    assert found["P@4"]["judged"] == 0.5


def test_the_upper_bound_takes_them_for_as_relevant_as_the_best() -> None:
    found = unjudged(parse_measures(["P@2", "nDCG@2"]), QRELS, RUN)
    assert found["P@2"]["all_relevant"] == pytest.approx((1 + 0) / 2), (
        "x and a of the first query; the second is not answered"
    )
    assert found["nDCG@2"]["all_relevant"] == pytest.approx(1 / 2), "two documents of grade 2 where two can stand"
    assert all_relevant(QRELS, {"one": ["x", "a"]})["one"] == {"x": 2, "a": 2, "b": 0}
    assert all_relevant({"q": {"b": 0}}, {"q": ["x"]})["q"]["x"] == 1


def test_a_ranking_of_judged_documents_is_its_own_bound() -> None:
    (found,) = unjudged(parse_measures(["nDCG@2"]), QRELS, [("one", ["b", "a"], []), ("two", ["c"], [])]).values()
    assert found == {"judged": 1.0, "all_relevant": pytest.approx((1 / math.log2(3) + 1) / 2, abs=1e-6)}


def test_deep_measures_and_those_without_a_cutoff_are_left_out() -> None:
    assert unjudged(parse_measures(["R@1000", "AP", "RR"]), QRELS, RUN) == {}
    assert unjudged(parse_measures(["P@5"]), QRELS, [])["P@5"] == {"judged": 0.0, "all_relevant": 0.0}
