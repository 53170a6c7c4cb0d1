"""A split on which every score would be 0 is refused; where some of it is so, a note counts it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from harness.base.errors import DatasetError
from harness.collection.sound import sound
from harness.data.corpus import Corpus
from harness.data.documents import Document
from harness.data.queries import Labelled, Queries
from harness.datasets import load_dataset
from harness.runtime.context import Context

Write = Callable[..., Path]
CORPUS = Corpus.of([Document("d1", "", "one"), Document("d2", "", "two")])


def split(qrels: dict[str, dict[str, int]], **texts: str) -> Labelled:
    return Labelled(Queries(list(qrels), [texts.get(query, "words") for query in qrels]), qrels)


@pytest.mark.parametrize("grade", [0, -1])
def test_judgements_of_which_none_is_above_0_are_refused(grade: int, collection: Write, context: Context) -> None:
    folder = collection(qrels={"test": {"q1": {"d1": grade, "d2": 0}, "q2": {"d2": grade}}})
    with pytest.raises(DatasetError, match="none of its 3 judgements is above 0, so every score would be 0"):
        load_dataset(str(folder), context)


def test_empty_documents_are_refused_if_all_are_and_counted_if_some_are(collection: Write, context: Context) -> None:
    folder = collection("none", documents=[("d1", "", ""), ("d2", " ", "\n")])
    with pytest.raises(DatasetError, match="both documents have neither title nor text, so every score would be 0"):
        load_dataset(str(folder), context)
    folder = collection("some", documents=[("d1", "", "lift"), ("d2", "", " "), ("d3", "a title", "")])
    for _ in range(2):  # read, and from the cache
        assert load_dataset(str(folder), Context(cache=context.cache)).notes == (
            "1 of 3 documents have neither title nor text",
        )


def test_empty_queries_are_refused_if_all_are_and_counted_if_some_are() -> None:
    judged = {"q1": {"d1": 1}, "q2": {"d1": 1}}
    with pytest.raises(DatasetError, match="mine: both queries have no text"):
        sound("mine", split(judged, q1="", q2=" "), CORPUS)
    assert sound("mine", split(judged, q1=""), CORPUS) == ["1 of 2 queries have no text"]


def test_queries_without_a_relevant_document_are_counted() -> None:
    judged = {"q1": {"d1": 1}, "q2": {"d1": 0, "d2": -1}}
    assert sound("mine", split(judged), CORPUS) == [
        "1 of 2 queries have no judgement above 0: every row scores 0 on them"
    ]


def test_judgements_of_another_corpus_are_refused() -> None:
    with pytest.raises(
        DatasetError, match=r"none of its 2 relevant documents is in the corpus, .*'D1', 'x'.*'D1' and 'd1'"
    ):
        sound("mine", split({"q1": {"D1": 1, "x": 1, "d2": 0}}), CORPUS)
    assert sound("mine", split({"q1": {"x": 1, "d2": 1}}), CORPUS) == []


def test_a_grade_that_trec_eval_cannot_count_is_refused_whatever_the_source() -> None:
    with pytest.raises(DatasetError, match="a grade of 999,999,999 is beyond the greatest possible one, 1,000,000"):
        sound("mine", split({"q1": {"d1": 999_999_999}}), CORPUS)


def test_nothing_is_said_of_a_sound_split() -> None:
    assert sound("mine", split({"q1": {"d1": 1, "d2": 0}}), CORPUS) == []
