"""Rocchio against a slow loop over its formula."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.base.errors import SettingError
from harness.feedback.rocchio import Rocchio

TERM = st.sampled_from(["wing", "drag", "flow", "heat", "jet", "rare", "common", "x", "café", "z" * 21])
DOCUMENT = st.lists(TERM, min_size=1, max_size=20)


def share(term: str) -> float:
    return {"common": 0.11, "rare": 0.1}.get(term, 0.02)


def length(vector: dict[str, float]) -> float:
    return math.sqrt(sum(value**2 for value in vector.values()))


def by_definition(rocchio: Rocchio, query: list[str], documents: list[list[str]]) -> dict[str, float]:
    """α q + β mean(d), term by term, in double precision."""
    mean: dict[str, float] = {}
    for document in documents:
        vector = {t: float(n) for t, n in Counter(document).items() if 2 <= len(t) <= 20 and share(t) <= 0.1}
        for term, tf in vector.items():
            mean[term] = mean.get(term, 0.0) + tf / length(vector) / len(documents)
    kept = sorted(mean, key=lambda t: (-mean[t], t))[: rocchio.fb_terms]
    best = {term: mean[term] for term in kept}
    asked = {t: float(n) for t, n in Counter(query).items()}
    moved = {term: rocchio.alpha * value / length(asked) for term, value in asked.items()}
    for term, value in best.items():
        moved[term] = moved.get(term, 0.0) + rocchio.beta * value / length(best)
    return {term: value for term, value in moved.items() if value > 0}


@given(
    query=st.lists(TERM, min_size=1, max_size=4),
    documents=st.lists(DOCUMENT, max_size=6),
    terms=st.integers(10, 12),  # fewer would cut between sums that float32 rounds apart and the loop does not
    alpha=st.sampled_from([0.0, 1.0, 2.5]),
    beta=st.sampled_from([0.0, 0.75, 1.0]),
)
def test_weights_are_those_of_the_formula(
    query: list[str], documents: list[list[str]], terms: int, alpha: float, beta: float
) -> None:
    rocchio = Rocchio(fb_terms=terms, alpha=alpha, beta=beta)
    scores = np.arange(len(documents), 0, -1).astype(np.float32)
    found = rocchio.weights(query, [Counter(document) for document in documents], scores, share)
    assert found == pytest.approx(by_definition(rocchio, query, documents), rel=1e-4, abs=1e-6)


@given(document=DOCUMENT, terms=st.integers(1, 9))
def test_of_one_document_the_heaviest_terms_stay_and_equal_ones_in_alphabetical_order(
    document: list[str], terms: int
) -> None:
    rocchio = Rocchio(fb_terms=terms)
    found = rocchio.weights(["asked"], [Counter(document)], np.ones(1, np.float32), share)
    assert found == pytest.approx(by_definition(rocchio, ["asked"], [document]), rel=1e-5)


def test_an_example_by_hand() -> None:
    """The document (3, 4) has length 5; with a second, empty one the mean is half of it, and its length is 1 again."""
    documents = [Counter({"wing": 3, "drag": 4}), Counter({"common": 2})]
    found = Rocchio().weights(["wing"], documents, np.ones(2, np.float32), share)
    assert found == pytest.approx({"wing": 1 + 0.75 * 0.6, "drag": 0.75 * 0.8})


def test_other_letters_than_a_to_z_may_join() -> None:
    found = Rocchio().weights(["jet"], [Counter({"café": 1})], np.ones(1, np.float32), share)
    assert found.keys() == {"jet", "café"}


@pytest.mark.parametrize("setting", ["alpha", "beta"])
@pytest.mark.parametrize("value", [-0.1, float("inf"), float("nan")])
def test_a_weight_out_of_range_is_refused(setting: str, value: float) -> None:
    with pytest.raises(SettingError, match=f"rocchio: {setting} must be 0 or more"):
        Rocchio(**{setting: value})
