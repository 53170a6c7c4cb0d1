"""RM3 against a slow loop over its formula."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.base.errors import SettingError
from harness.feedback.rm3 import RM3

TERM = st.sampled_from(
    ["wing", "drag", "flow", "heat", "jet", "rare", "common", "x", "café", "1999", "z" * 20, "z" * 21]
)
DOCUMENT = st.lists(TERM, min_size=1, max_size=25)
SHARES = {"common": 0.11, "rare": 0.1}


def share(term: str) -> float:
    return SHARES.get(term, 0.02)


def by_definition(rm3: RM3, query: list[str], documents: list[list[str]], scores: list[float]) -> dict[str, float]:
    """λ P(w|Q) + (1 − λ) P(w|R), term by term, in double precision."""
    model: dict[str, float] = {}
    for document, score in zip(documents, scores, strict=True):
        tf = Counter(
            t
            for t in document
            if 2 <= len(t) <= 20
            and share(t) <= 0.1
            and (not rm3.filter_terms or (t.isascii() and t.isalnum() and t == t.lower()))
        )
        kept = sorted(tf, key=lambda t: (-tf[t], t))[: rm3.fb_terms]
        total = sum(tf[t] for t in kept)
        for term in kept:
            model[term] = model.get(term, 0.0) + tf[term] / total * score
    kept = sorted(model, key=lambda t: (-model[t], t))[: rm3.fb_terms]
    mass = sum(model[t] for t in kept)
    weight = rm3.original_query_weight
    mixed = {t: weight * n / len(query) for t, n in Counter(query).items()}
    for term in kept:
        mixed[term] = mixed.get(term, 0.0) + (1 - weight) * model[term] / mass
    return {term: value for term, value in mixed.items() if value > 0}


@given(
    query=st.lists(TERM, min_size=1, max_size=4),
    documents=st.lists(DOCUMENT, max_size=6),
    terms=st.integers(12, 14),  # fewer would cut between sums that float32 rounds apart and the loop does not
    weight=st.sampled_from([0.0, 0.3, 0.5, 1.0]),
    filtered=st.booleans(),
)
def test_weights_are_those_of_the_formula(
    query: list[str], documents: list[list[str]], terms: int, weight: float, filtered: bool
) -> None:
    rm3 = RM3(fb_terms=terms, original_query_weight=weight, filter_terms=filtered)
    scores = [9.5 - i for i in range(len(documents))]
    found = rm3.weights(query, [Counter(document) for document in documents], np.array(scores, np.float32), share)
    expected = by_definition(rm3, query, documents, scores)
    assert found == pytest.approx(expected, rel=1e-4, abs=1e-6)


@given(document=DOCUMENT, terms=st.integers(1, 11), filtered=st.booleans())
def test_of_one_document_the_most_frequent_terms_stay(document: list[str], terms: int, filtered: bool) -> None:
    rm3 = RM3(fb_terms=terms, filter_terms=filtered)
    found = rm3.weights(["asked"], [Counter(document)], np.ones(1, np.float32), share)
    assert found == pytest.approx(by_definition(rm3, ["asked"], [document], [1.0]), rel=1e-5)


def test_each_document_is_cut_before_the_model_is() -> None:
    """Uncut, `drag` would have 1/3 + 1/3 and win; each document gives its first term alone."""
    documents = [Counter({"wing": 2, "drag": 1}), Counter({"flow": 2, "drag": 1})]
    found = RM3(fb_terms=1).weights(["jet"], documents, np.array([2, 1], np.float32), share)
    assert found == pytest.approx({"jet": 0.5, "wing": 0.5})


def test_an_example_by_hand() -> None:
    """Two documents of scores 3 and 1: P(wing|R) = (3 · 2/3 + 1 · 0) / 4, and so on."""
    documents = [Counter({"wing": 2, "drag": 1}), Counter({"heat": 1})]
    found = RM3().weights(["wing"], documents, np.array([3, 1], np.float32), share)
    assert found == pytest.approx({"wing": 0.5 + 0.5 * 2 / 4, "drag": 0.5 * 1 / 4, "heat": 0.5 * 1 / 4})


def test_equal_terms_are_cut_in_alphabetical_order() -> None:
    document = Counter({"wing": 1, "drag": 1, "heat": 1, "flow": 1})
    found = RM3(fb_terms=2).weights(["jet"], [document], np.ones(1, np.float32), share)
    assert found.keys() == {"jet", "drag", "flow"}


def test_only_a_to_z_and_digits_may_join_unless_told_otherwise() -> None:
    document, scores = Counter({"café": 3, "漢字": 2, "cafe": 1}), np.ones(1, np.float32)
    assert RM3().weights(["jet"], [document], scores, share).keys() == {"jet", "cafe"}
    assert RM3(filter_terms=False).weights(["jet"], [document], scores, share).keys() == {"jet", "café", "漢字", "cafe"}


def test_length_is_counted_in_javas_characters() -> None:
    """Each of these letters beyond U+FFFF is two of Java's, so that one of them is long enough and eleven are too
    long.
    """
    document, scores = Counter({"𐐨": 1, "𐐨" * 10: 1, "𐐨" * 11: 1}), np.ones(1, np.float32)
    found = RM3(filter_terms=False).weights(["jet"], [document], scores, share)
    assert found.keys() == {"jet", "𐐨", "𐐨" * 10}


def test_a_term_of_more_than_a_tenth_of_the_documents_does_not_join_but_stays_where_it_was_asked() -> None:
    document, scores = Counter({"common": 5, "rare": 1}), np.ones(1, np.float32)
    assert RM3().weights(["common"], [document], scores, share) == pytest.approx({"common": 0.5, "rare": 0.5})


@pytest.mark.parametrize("weight", [-0.1, 1.1, float("nan")])
def test_a_weight_out_of_range_is_refused(weight: float) -> None:
    with pytest.raises(SettingError, match="original_query_weight must be between 0 and 1"):
        RM3(original_query_weight=weight)
