"""A dataset from splits in memory: what is left out, and what is said about it."""

from __future__ import annotations

import pytest

from harness.base.errors import DatasetError
from harness.collection.in_memory import Split, cached_corpus, dataset_of, grades_of
from harness.data.corpus import Corpus
from harness.data.documents import Document
from harness.data.ids import Trim
from harness.runtime.context import Context

DOCUMENTS = [Document("d1", "", "a"), Document("d2", "", "b")]
TEST = Split({"q1": "one"}, {"q1": {"d1": 1}})


def test_documents_of_one_content_are_cached_once(context: Context) -> None:
    first = cached_corpus("mine", lambda: DOCUMENTS, context)
    assert cached_corpus("other name", lambda: iter(DOCUMENTS), context).path == first.path
    assert cached_corpus("mine", lambda: DOCUMENTS[:1], context).path != first.path


def test_judged_queries_without_text_are_left_out_with_a_note() -> None:
    split = Split({"q1": "one"}, {"q1": {"d1": 1}, "q2": {"d2": 1}, "q3": {}})
    dataset = dataset_of("mine", Corpus.of(DOCUMENTS), {"test": split}, "test")
    assert dataset.test.queries.ids == ["q1"]
    assert any(note.startswith("1 judged queries have no text") for note in dataset.notes)
    with pytest.raises(DatasetError, match="no query of split 'test' has text and a judgement"):
        dataset_of("mine", Corpus.of(DOCUMENTS), {"test": Split({}, {"q2": {"d2": 1}})}, "test")


def test_train_queries_about_other_documents_are_left_out_with_a_note() -> None:
    train = Split({"t1": "x", "t2": "y"}, {"t1": {"d2": 1}, "t2": {"elsewhere": 1}})
    dataset = dataset_of("mine", Corpus.of(DOCUMENTS), {"test": TEST, "train": train}, "test")
    assert dataset.train.train is not None
    assert dataset.train.train.queries.ids == ["t1"]
    assert any(note.startswith("1 queries of train") for note in dataset.notes)


def test_a_train_query_with_the_id_of_another_query_gets_the_name_of_its_split() -> None:
    train = Split({"q1": "another text"}, {"q1": {"d2": 1}})
    dataset = dataset_of("mine", Corpus.of(DOCUMENTS), {"test": TEST, "train": train}, "test")
    assert dataset.train.train is not None
    assert dataset.train.train.queries.ids == ["train/q1"]


def test_of_ids_that_the_rule_makes_equal_the_highest_grade_counts() -> None:
    assert grades_of({1: {" d1": 1, "d1 ": 3, "d1": 2}}, Trim()) == {"1": {"d1": 3}}
