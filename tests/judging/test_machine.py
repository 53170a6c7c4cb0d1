"""A model judges pairs; one without a usable answer gets no label."""

from __future__ import annotations

from typing import Any

from harness.collection.labels import Label
from harness.judges.chat import Chat
from harness.judging.machine import judged, known_pairs
from harness.judging.target import Target
from harness.runtime.context import Context
from tests.conftest import completion


def test_labels_carry_their_judge(server: Any, target: Target, context: Context) -> None:
    server.reply = lambda n, body: completion("none" if "text 5 " in body["messages"][0]["content"] else "2")
    judge = Chat("m", server.url, again=0)
    pairs = [("q0", "d5"), ("q1", "d6"), ("q0", "d7")]
    labels, grades = judged(judge, target, pairs, context)
    assert labels == [Label(query, document, 2, str(judge), "machine") for query, document in (pairs[2], pairs[1])]
    assert grades.unusable == 1


def test_known_pairs_are_of_their_own_documents(target: Target, context: Context) -> None:
    known = known_pairs(target.dataset.corpus, [3, 4], context)
    for text, [row] in zip(known.texts, known.candidates, strict=True):
        assert set(text.casefold().split()) & set(target.dataset.corpus.texts[int(row)].casefold().split())
