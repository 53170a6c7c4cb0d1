"""Batches of queries are judged until enough are kept; a paid judge gets one batch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from harness.data.corpus import Corpus
from harness.judges import Grades, Judge, Pairs
from harness.judges.row import Row
from harness.methods.rerank_api import RerankAPI
from harness.runtime.context import Context
from harness.testset.graded import graded, is_paid
from harness.testset.queries import Made
from harness.testset.request import Request

CORPUS = Corpus.of((f"d{i}", "", f"text {i}") for i in range(5))
ROWS = np.arange(5, dtype=np.int64)


@dataclass(frozen=True)
class Listed(Judge):
    """Gives the grades that are listed for a query."""

    grades: ClassVar[dict[str, list[int]]] = {}
    asked: ClassVar[list[list[str]]] = []
    queue: ClassVar[list[str]] = []

    def grade(self, corpus: Corpus, pairs: Pairs, known: Pairs, context: Context) -> Grades:
        self.asked.append(list(pairs.texts))
        assert list(pairs.sources) == [0] * len(pairs.texts)
        assert pairs.pool is not None
        assert list(pairs.pool.texts) == list(self.queue)
        return Grades([np.array(self.grades[text], np.int8) for text in pairs.texts], {"batch": len(self.asked)})

    def label(self) -> str:
        return "listed"


@dataclass(frozen=True)
class Paid(Listed):
    """The same, for money."""

    paid: ClassVar[bool] = True


def queue(grades: dict[str, list[int]], row: int = 0) -> list[Any]:
    Listed.grades, Listed.asked, Listed.queue = grades, [], list(grades)
    return [(Made(text, row, "title", "x"), ROWS) for text in grades]


def quiet(line: str) -> None:
    """Says nothing."""


GRADES = {
    "a": [0, 0, -1, 0, 0],
    "b": [3, 3, 2, 0, 1],
    **{text: [3, 0, 1, 1, 1] for text in "cdefgh"},
}


def test_queries_without_an_answer_or_with_too_many_are_replaced_by_the_next(
    request_of: Callable[..., Request], context: Context
) -> None:
    told: list[str] = []
    kept = graded(request_of(queries=4, judge=Listed()), queue(GRADES), CORPUS, Pairs([], []), context, told.append)
    assert [each.text for each in kept.queries] == ["c", "d", "e", "f"]
    assert kept.dropped == {"no relevant document": 1, "answered by too many documents": 1}
    assert len(kept.pairs) == len(kept.grades.values) == 4
    assert kept.grades.facts == {"batch": 1}
    assert Listed.asked == [["a", "b", "c", "d"], ["e", "f", "g", "h"]]  # half were kept
    assert told[0] == "20 pairs of 4 queries to judge with listed"


def test_if_few_are_left_documents_that_are_like_no_other_are_the_answer(
    request_of: Callable[..., Request], context: Context
) -> None:
    """The source is judged too, and the query is no longer left out of its own ranking."""
    others = np.array([1, 2, 3], np.int64)
    Listed.grades, Listed.asked = {"a": [0, 0, 0], "b": [2, 0, 0], "c": [0, 0, 0]}, []
    Listed.queue = list("abc")
    parts = [(Made(text, 0, "title", "extractive"), others) for text in "abc"]

    class Then(Listed):
        def grade(self, corpus: Corpus, pairs: Pairs, known: Pairs, context: Context) -> Grades:
            if any(0 in rows for rows in pairs.candidates):
                Listed.grades = {"a": [3, 0, 0, 0], "c": [0, 0, 0, 0]}
            return super().grade(corpus, pairs, known, context)

    kept = graded(request_of(queries=3, judge=Then()), parts, CORPUS, Pairs([], []), context, quiet)
    assert [(each.text, each.alone) for each in kept.queries] == [("b", False), ("a", True)]
    assert [rows.tolist() for rows in kept.pairs] == [[1, 2, 3], [0, 1, 2, 3]]
    assert kept.dropped == {"no relevant document": 1}
    assert Listed.asked == [["a", "b", "c"], ["a", "c"]]


def test_a_paid_judge_ends_with_the_last_query(request_of: Callable[..., Request], context: Context) -> None:
    short = queue({text: GRADES[text] for text in "abc"})
    kept = graded(request_of(queries=9, judge=Paid()), short, CORPUS, Pairs([], []), context, quiet)
    assert [each.text for each in kept.queries] == ["c"]
    assert Listed.asked == [["a", "b", "c"]]


def test_a_paid_judge_judges_as_many_as_its_price_says(request_of: Callable[..., Request], context: Context) -> None:
    kept = graded(request_of(queries=4, judge=Paid()), queue(GRADES), CORPUS, Pairs([], []), context, quiet)
    assert [each.text for each in kept.queries] == ["c", "d"]
    assert Listed.asked == [["a", "b", "c", "d"]]
    assert is_paid(Row(RerankAPI()))
    assert not is_paid(Row())


def test_the_end_of_the_queue_is_the_end(request_of: Callable[..., Request], context: Context) -> None:
    kept = graded(request_of(queries=20, judge=Listed()), queue(GRADES), CORPUS, Pairs([], []), context, quiet)
    assert len(kept.queries) == 6
    assert len(Listed.asked) == 1
