"""A model judges pairs; one without a usable answer gets no label."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from harness.collection.labels import Label
from harness.data.corpus import Corpus
from harness.judges import Grades, Judge, Pairs
from harness.judges.chat import Chat
from harness.judging.machine import judged, known_pairs
from harness.judging.target import Target
from harness.runtime.context import Context
from tests.conftest import completion


def test_labels_carry_their_judge(server: Any, target: Target, context: Context) -> None:
    server.reply = lambda n, body: completion("none" if "text 5 " in body["messages"][0]["content"] else "2")
    judge = Chat("m", server.url, again=0)
    pairs = [("q0", "d5"), ("q1", "d6"), ("q0", "d7")]
    labels, grades = judged(judge, target, pairs, [], context)
    assert labels == [Label(query, document, 2, str(judge), "machine") for query, document in (pairs[2], pairs[1])]
    assert grades.unusable == 1


@dataclass(frozen=True)
class Spy(Judge):
    """Notes what it is asked."""

    asked: ClassVar[list[Pairs]] = []

    def grade(self, corpus: Corpus, pairs: Pairs, known: Pairs, context: Context) -> Grades:
        self.asked.append(pairs)
        return Grades([np.ones(len(rows), np.int8) for rows in pairs.candidates])


def test_the_judge_sees_the_pool_that_the_pairs_are_a_part_of(target: Target, context: Context) -> None:
    Spy.asked.clear()
    judged(Spy(), target, [("q0", "d5")], [("q1", "d6"), ("q0", "d5"), ("q0", "d7"), ("q1", "gone")], context)
    [pairs] = Spy.asked
    assert [rows.tolist() for rows in pairs.candidates] == [[5]]
    assert pairs.pool is not None
    assert list(pairs.pool.texts) == [target.texts["q0"], target.texts["q1"]]
    assert [rows.tolist() for rows in pairs.pool.candidates] == [[5, 7], [6]]


def test_known_pairs_are_of_their_own_documents(target: Target, context: Context) -> None:
    known = known_pairs(target.dataset.corpus, [3, 4], context)
    for text, [row] in zip(known.texts, known.candidates, strict=True):
        assert set(text.casefold().split()) & set(target.dataset.corpus.texts[int(row)].casefold().split())
