"""A chat judge: one grade or none, paid once, its agreement with itself measured."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from harness.base.errors import SettingError
from harness.data.corpus import Corpus
from harness.judges import NO_GRADE, Pairs
from harness.judges.chat import Chat, agreement, read_grade
from harness.runtime.context import Context
from tests.conftest import completion

CORPUS = Corpus.of([("a", "", "red apple pie"), ("b", "", "green pear"), ("c", "", "blue sky {query}")])
PAIRS = Pairs(["red apple", "sky"], [np.array([0, 1]), np.array([0, 2])])
NONE = Pairs([], [])


def words(body: dict[str, Any]) -> int:
    """A judge of a known rule: the number of common words."""
    content = body["messages"][0]["content"]
    query = content.partition("Query: ")[2].partition("\n")[0]
    document = content.partition("Document:\n")[2].partition("\n\nAnswer")[0]
    return min(3, len({*query.split()} & {*document.split()}))


@pytest.mark.parametrize(
    ("answer", "grade"),
    [("2", 2), (" **3**\n", 3), ("Grade: 1", 1), ("score = 0.", 0), ("", NO_GRADE), ("4", NO_GRADE), ("-1", NO_GRADE),
     ("2.5", NO_GRADE), ("2 or 3", NO_GRADE), ("I cannot judge this.", NO_GRADE), ("3 because 2 words", NO_GRADE),
     ("relevance: 2", 2), ("two", NO_GRADE)],
)  # fmt: skip
def test_only_an_answer_that_is_one_grade_is_one(answer: str, grade: int) -> None:
    assert read_grade(answer) == grade


def test_grades_are_those_of_the_model_and_each_is_paid_once(server: Any, context: Context) -> None:
    server.reply = lambda n, body: completion(str(words(body)))
    judge = Chat("m", server.url, again=2)
    for _ in range(2):
        found = judge.grade(CORPUS, PAIRS, NONE, Context(cache=context.cache))
        assert [grades.tolist() for grades in found.values] == [[2, 0], [0, 1]]
        assert found.facts == {"unusable": 0, "asked_again": 2, "same_grade": 1.0} | (
            {"kappa": found.facts["kappa"]} if "kappa" in found.facts else {}
        )
    assert len(server.bodies) == 6
    assert sorted(body["seed"] for body in server.bodies) == [0, 0, 0, 0, 1, 1]


def test_a_document_cannot_change_the_prompt() -> None:
    [message] = Chat("m").messages("q", "text with {query} in it")
    assert "Document:\ntext with {query} in it" in message["content"]


def test_answers_that_are_no_grade_give_no_label(server: Any, context: Context) -> None:
    answers = iter(["I refuse.", "<think>3 or 2?</think>1", "", "7"])
    server.reply = lambda n, body: completion(next(answers))
    found = Chat("m", server.url, again=0, concurrency=1).grade(CORPUS, PAIRS, NONE, context)
    assert [grades.tolist() for grades in found.values] == [[NO_GRADE, 1], [NO_GRADE, NO_GRADE]]
    assert found.facts == {"unusable": 3}
    assert found.unusable == 3


def test_an_answer_that_was_cut_gives_no_label_now_or_later(server: Any, context: Context) -> None:
    """`3` may be the beginning of `3 of the words are the same, but …`; a reply from the cache is no other."""
    choice = {"message": {"content": "3"}, "finish_reason": "length"}
    server.reply = lambda n, body: (200, {}, json.dumps({"choices": [choice]}).encode())
    for _ in range(2):
        found = Chat("m", server.url, again=1).grade(CORPUS, PAIRS, NONE, Context(cache=context.cache))
        assert found.unusable == 4
        assert "asked_again" not in found.facts
    assert len(server.bodies) == 5


def test_a_busy_server_is_asked_again(server: Any, context: Context) -> None:
    busy = (429, {"Retry-After": "0"}, b'{"error": {"message": "slow down"}}')
    server.reply = lambda n, body: busy if n < 2 else completion(str(words(body)))
    found = Chat("m", server.url, again=0, concurrency=1).grade(CORPUS, PAIRS, NONE, context)
    assert [grades.tolist() for grades in found.values] == [[2, 0], [0, 1]]


def test_the_cap_is_checked_before_anything_is_sent(server: Any, context: Context) -> None:
    with pytest.raises(SettingError, match="exceeds the cap"):
        Chat("m", server.url, cap_tokens=100).grade(CORPUS, PAIRS, NONE, context)
    assert server.bodies == []


def test_the_estimate_grows_with_pairs_and_words() -> None:
    judge = Chat("m", price_in=1.0, price_out=1.0)
    assert judge.estimate(100, 100).tokens_in < judge.estimate(100, 200).tokens_in < judge.estimate(200, 200).tokens_in
    assert judge.estimate(100, 100).requests == 150


def test_agreement_of_two_answers() -> None:
    assert agreement([(NO_GRADE, 2)]) == {}
    assert agreement([(2, 2), (2, 2)]) == {"asked_again": 2, "same_grade": 1.0}
    found = agreement([(0, 0), (3, 3), (0, 3), (3, 0)])
    assert found == {"asked_again": 4, "same_grade": 0.5, "kappa": 0.0}


def test_a_prompt_needs_both_places() -> None:
    with pytest.raises(SettingError, match="must contain"):
        Chat("m", prompt="Grade {document}")
