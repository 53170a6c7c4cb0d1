"""Grades by a chat model: read strictly, ties by the first stage, nothing paid for twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.base.errors import HarnessError, SettingError
from harness.data.corpus import Corpus
from harness.data.dataset import TrainView
from harness.data.queries import Queries
from harness.data.ranking import TopK
from harness.methods import CandidateScorer, Reranks, fit
from harness.methods.pointwise import Pointwise, grade
from harness.rows import parse_method
from harness.runtime.context import Context

Rank = Callable[..., TopK]
CORPUS = Corpus.of([("a", "", "red apple"), ("b", "", "green pear"), ("c", "", "red pear"), ("d", "", "blue sky")])


def scorer(method: Pointwise, context: Context, corpus: Corpus = CORPUS) -> CandidateScorer:
    fitted = fit(method, TrainView(corpus), context)
    assert isinstance(fitted, Reranks)
    return fitted.candidate_scorer(corpus, context)


def answers(server: Any, text: str) -> None:
    reply = server.reply
    server.reply = lambda n, body: (*reply(n, body)[:2], reply(n, body)[2].replace(b'"Yes"', f'"{text}"'.encode()))


def test_yes_goes_before_no_and_equals_keep_their_order(judge: Any, context: Context) -> None:
    [found] = scorer(Pointwise("m", judge.url), context).scores(["red"], [np.array([3, 2, 1, 0])])
    assert np.argsort(-found).tolist() == [1, 3, 0, 2]  # c, a are yes; d, b are no
    assert found.tolist() == pytest.approx([0.5, 1.375, 0.25, 1.125])


def test_grades_order_before_places(judge: Any, context: Context) -> None:
    [found] = scorer(Pointwise("m", judge.url, grades=3), context).scores(["red pear"], [np.array([3, 1, 0, 2])])
    assert np.argsort(-found).tolist() == [3, 1, 2, 0]
    assert np.floor(found).tolist() == [0, 1, 1, 2]


def test_each_pair_is_asked_once(judge: Any, context: Context) -> None:
    method = Pointwise("m", judge.url)
    for _ in range(2):
        scorer(method, Context(cache=context.cache)).scores(
            ["red", "sky", "red"], [np.array([0, 1]), np.array([0]), np.array([1, 0])]
        )
    assert len(judge.bodies) == 3
    assert len({str(body) for body in judge.bodies}) == 3
    scorer(Pointwise("m", judge.url, grades=2), context).scores(["red"], [np.array([0])])
    scorer(method, Context(seed=1, cache=context.cache)).scores(["red"], [np.array([0])])
    assert len(judge.bodies) == 5


def test_what_is_sent(judge: Any, context: Context) -> None:
    corpus = Corpus.of([("a", "T", "one  two\nthree")])
    scorer(Pointwise("m", judge.url, max_words=3), context, corpus).scores(["what?"], [np.array([0])])
    scorer(Pointwise("m", judge.url, grades=4, temperature=None), context, corpus).scores(["what?"], [np.array([0])])
    first, second = judge.bodies
    [message] = first["messages"]
    assert message["content"].endswith("Yes or No.\n\nQuery: what?\nPassage: T one two\nAnswer:")
    assert (first["temperature"], first["max_tokens"]) == (0.0, 8)
    assert second["messages"][0]["content"].startswith("From a scale of 0 to 4, judge")
    assert "temperature" not in second


@pytest.mark.parametrize(
    ("answer", "grades", "due", "failures"),
    [
        ("Yes", 1, 1, []),
        (" no. ", 1, 0, []),
        ("**YES**", 1, 1, []),
        ("Yes, it is", 1, 1, ["malformed"]),
        ("It is not known", 1, 0, ["malformed", "unreadable"]),
        ("nothing", 1, 0, ["malformed", "unreadable"]),
        ("", 1, 0, ["malformed", "unreadable"]),
        ("3", 4, 3, []),
        ("(3)", 4, 3, []),
        ("Score: 2", 4, 2, ["malformed"]),
        ("4/4", 4, 4, ["malformed"]),
        ("5", 4, 0, ["out of range"]),
        ("-1", 4, 0, ["out of range"]),
        ("2.5", 4, 0, ["out of range"]),
        ("high", 4, 0, ["malformed", "unreadable"]),
    ],
)
def test_answers_are_read_strictly(answer: str, grades: int, due: int, failures: list[str]) -> None:
    assert grade(answer, grades) == (due, Counter(failures))


@given(st.text(), st.integers(1, 10))
def test_any_answer_is_on_the_scale(answer: str, grades: int) -> None:
    assert 0 <= grade(answer, grades)[0] <= grades


def test_failures_are_counted_and_noted(judge: Any, context: Context) -> None:
    answers(judge, "Yes, surely")
    with context.ledger.tracked("row") as row:
        scorer(Pointwise("m", judge.url), context).scores(["red"], [np.arange(4)])
    assert row.counts == {"judgements": 4, "judgements malformed": 2}
    assert row.notes == ["2 of 4 judgements were not in the requested form and were repaired (2 malformed)"]


def test_the_cap_is_held_before_the_first_request(judge: Any, context: Context) -> None:
    with pytest.raises(SettingError, match=r"pointwise m: 4 requests, .* at most 32 out.*exceeds the cap of 50 tokens"):
        scorer(Pointwise("m", judge.url, cap_tokens=50), context).scores(["red"], [np.arange(4)])
    assert judge.bodies == []


def test_it_re_ranks_and_alone_is_refused_for_many(judge: Any, corpus: Corpus, queries: Queries, rank: Rank) -> None:
    first = rank(parse_method("bm25"), corpus, queries, 7)
    again = rank(
        parse_method(f'rerank(first=bm25, scorer=pointwise(model="m", url="{judge.url}"), depth=7)'), corpus, queries, 7
    )
    for before, after in zip(first.indices, again.indices, strict=True):
        assert set(before.tolist()) == set(after.tolist())
    many = Queries([str(i) for i in range(60)], [f"q {i}" for i in range(60)])
    with pytest.raises(HarnessError, match="bm25>>pointwise"):
        rank(Pointwise("m", judge.url), corpus, many, 5)


@pytest.mark.parametrize(
    "settings", [{"grades": 0}, {"grades": 11}, {"max_words": 0}, {"model": " "}, {"cap": 1.0, "model": "x"}]
)
def test_settings_out_of_range_are_named(settings: dict[str, Any]) -> None:
    with pytest.raises(SettingError, match=rf"pointwise: .*{next(iter(settings))}"):
        Pointwise(**settings)
