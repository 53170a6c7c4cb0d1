"""What holds for every file of the room."""

from __future__ import annotations

import dataclasses
import json
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.base.errors import SettingError
from harness.choices.expression import parse
from harness.feedback import FEEDBACK, Feedback
from harness.rows import ROOMS, parse_method

TERMS = st.sampled_from(["wing", "drag", "flow", "heat", "jet", "common", "x", "é" * 4, "漢字", "a" * 21, "1999"])
DOCUMENTS = st.lists(st.lists(TERMS, max_size=15), max_size=12)


def share(term: str) -> float:
    return 0.5 if term == "common" else 0.01


@pytest.fixture(params=FEEDBACK.names())
def feedback(request: pytest.FixtureRequest) -> Feedback:
    return FEEDBACK.get(request.param)()


def weighed(feedback: Feedback, query: list[str], documents: list[list[str]]) -> dict[str, float]:
    scores = np.linspace(9, 2, len(documents), dtype=np.float32)
    return feedback.weights(query, [Counter(document) for document in documents], scores, share)


def test_it_is_a_frozen_value_with_defaults_and_a_source(feedback: Feedback) -> None:
    assert parse(str(feedback), FEEDBACK, ROOMS) == feedback
    assert parse(feedback.full(), FEEDBACK, ROOMS) == feedback
    assert json.loads(json.dumps(feedback.settings())) == feedback.settings()
    assert (feedback.fb_docs, feedback.fb_terms) == (10, 10)
    assert "Source:" in (type(feedback).__doc__ or "")
    with pytest.raises(dataclasses.FrozenInstanceError):
        feedback.fb_docs = 1


def test_a_row_is_written_with_it(feedback: Feedback) -> None:
    name = feedback.name()
    for row in (f"bm25(feedback={name})", f"bm25(k1=1.2, feedback={name}(fb_docs=3))"):
        assert str(parse_method(row)) == row
        assert parse_method(parse_method(row).full()) == parse_method(row)


@pytest.mark.parametrize("setting", ["fb_docs", "fb_terms"])
def test_no_document_and_no_term_is_no_feedback(feedback: Feedback, setting: str) -> None:
    with pytest.raises(SettingError, match=f"{feedback.name()}: {setting} must be 1 or more, not 0"):
        dataclasses.replace(feedback, **{setting: 0})


@given(query=st.lists(TERMS, max_size=5), documents=DOCUMENTS, n=st.integers(1, 4), data=st.data())
def test_weights_are_above_0_of_terms_asked_or_fed_back_and_no_more_than_allowed(
    query: list[str], documents: list[list[str]], n: int, data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from(FEEDBACK.names()))
    feedback: Feedback = parse(f"{name}(fb_terms={n})", FEEDBACK, ROOMS)
    weights = weighed(feedback, query, documents)
    new = weights.keys() - set(query)
    assert all(np.isfinite(weight) and weight > 0 and isinstance(weight, float) for weight in weights.values())
    assert new <= {term for document in documents for term in document}
    assert len(new) <= n
    assert not new & {"common", "x", "a" * 21}
    assert set(query) <= weights.keys()


def test_without_documents_the_query_stays_with_its_proportions(feedback: Feedback) -> None:
    weights = weighed(feedback, ["wing", "drag", "wing"], [])
    assert weights.keys() == {"wing", "drag"}
    assert weights["wing"] == pytest.approx(2 * weights["drag"])


def test_an_empty_query_with_nothing_found_asks_nothing(feedback: Feedback) -> None:
    assert weighed(feedback, [], []) == {}


def test_the_order_of_the_terms_in_a_document_does_not_matter(feedback: Feedback) -> None:
    document = ["wing", "drag", "drag", "heat", "flow", "jet", "1999"]
    one = dataclasses.replace(feedback, fb_terms=3)
    assert weighed(one, ["wing"], [document]) == weighed(one, ["wing"], [document[::-1]])
