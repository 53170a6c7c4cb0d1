"""The metric audit, by hand."""

from __future__ import annotations

import math

import pytest

from harness.audit.conventions import audit
from harness.data.measures import parse_measures

(NDCG,) = parse_measures(["nDCG@3"])
(RECIPROCAL,) = parse_measures(["RR@10"])
SECOND = 1 / math.log2(3)
THIRD = 0.5


def test_ties_may_stand_in_the_best_or_the_worst_order() -> None:
    qrels = {"q": {"good": 1, "bad": 0}}
    found = audit(NDCG, qrels, {"q": {"bad": 2.0, "good": 2.0, "last": 1.0}}, ["good", "bad", "last"])
    assert found.value == pytest.approx(SECOND)
    assert (found.worst_ties, found.best_ties) == (pytest.approx(SECOND), pytest.approx(1.0))
    assert found.tied == 1
    clear = audit(NDCG, qrels, {"q": {"good": 3.0, "bad": 2.0, "last": 2.0}}, ["good", "bad", "last"])
    assert clear.worst_ties == clear.value == clear.best_ties == 1
    assert clear.tied == 0, "bad and last are alike to the measure"


def test_ties_beyond_the_cutoff_are_none() -> None:
    run = {"q": {"a": 4.0, "b": 3.0, "c": 2.0, "good": 1.0, "d": 1.0}}
    assert audit(NDCG, {"q": {"good": 1}}, run, "abcd").tied == 0


def test_unanswered_queries_count_0_here_and_nothing_elsewhere() -> None:
    qrels = {"one": {"a": 1}, "two": {"b": 1}}
    found = audit(NDCG, qrels, {"one": {"a": 1.0}}, ["a", "b"])
    assert (found.queries, found.unanswered, found.value) == (2, 1, 0.5)
    assert found.conventions["mean over answered queries only (BEIR, MTEB)"] == 1.0


def test_judged_documents_outside_the_corpus_cap_what_can_be_reached() -> None:
    found = audit(NDCG, {"q": {"here": 1, "gone": 1, "void": 0}}, {"q": {"here": 1.0}}, ["here"])
    assert found.lost == 1
    assert found.ceiling == found.value == pytest.approx(1 / (1 + SECOND))


def test_other_conventions_by_hand() -> None:
    qrels = {"q": {"a": 2, "b": 1}}
    found = audit(NDCG, qrels, {"q": {"new": 3.0, "b": 2.0, "a": 1.0}}, ["a", "b", "new"])
    told = found.conventions
    ideal = 2 + SECOND
    assert found.value == pytest.approx((SECOND + 2 * THIRD) / ideal)
    assert found.judged == pytest.approx(2 / 3)
    assert told["any grade above 0 counts 1 (sentence-transformers)"] == pytest.approx((SECOND + THIRD) / (1 + SECOND))
    assert told["gain 2^grade - 1 in place of the grade"] == pytest.approx(
        (SECOND + 3 * THIRD) / (3 + SECOND), abs=1e-5
    )
    assert told["unjudged documents left out of the ranking"] == pytest.approx((1 + 2 * SECOND) / ideal)
    generous = (2 + SECOND + 2 * THIRD) / (2 + 2 * SECOND + THIRD)
    assert told["unjudged documents within the cutoff all relevant"] == pytest.approx(generous)


def test_a_measure_without_gains_has_no_convention_of_gains() -> None:
    found = audit(RECIPROCAL, {"q": {"a": 1}}, {"q": {"b": 2.0, "a": 1.0}}, ["a", "b"])
    assert found.value == 0.5
    assert not any("gain" in name for name in found.conventions)


def test_an_empty_run_has_nothing_to_show() -> None:
    found = audit(NDCG, {"q": {"a": 1}}, {}, ["a"])
    assert (found.value, found.unanswered, found.judged, found.ceiling) == (0.0, 1, 0.0, 1.0)
    assert "mean over answered queries only (BEIR, MTEB)" not in found.conventions
