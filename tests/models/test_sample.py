"""The golden probe's sample: spread over a collection, and without documents that are its queries."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from harness.data.corpus import Corpus
from harness.data.dataset import TrainView
from harness.data.queries import Labelled, Queries
from harness.models.sample import BEGINNING, DOCUMENTS, QUERIES, WHOLE, Sample, sample


@pytest.fixture
def view() -> TrainView:
    documents = [(f"d{i:03}", "", "word " * (i % 40 + 1) + f"number {i}.") for i in range(200)]
    return TrainView(Corpus.of(documents))


def test_documents_are_spread_over_the_lengths(view: TrainView) -> None:
    some = sample(view)
    lengths = [len(text) for text in some.documents]
    every = sorted(len(text) for text in view.corpus.texts[:])
    assert len(some.documents) == DOCUMENTS
    assert (min(lengths), max(lengths)) == (every[0], every[-1])
    assert abs(np.median(lengths) - np.median(every)) < 15
    assert sample(view) == some


def test_queries_are_those_of_training_else_beginnings_of_documents(view: TrainView) -> None:
    assert all(any(document.startswith(query) for document in sample(view).documents) for query in sample(view).queries)
    queries = Queries([f"q{i}" for i in range(100)], [f"what is {i}?" for i in range(100)])
    taught = TrainView(view.corpus, train=Labelled(queries, {i: {"d001": 1} for i in queries.ids}))
    assert set(sample(taught).queries) <= set(queries.texts)
    assert len(sample(taught).queries) == QUERIES


def test_most_documents_are_cut_and_some_of_all_lengths_are_whole() -> None:
    texts = [f"number {i}. " + "word " * (10 * i) for i in range(200)]
    some = sample(TrainView(Corpus.of([(f"d{i:03}", "", text) for i, text in enumerate(texts)]))).documents
    whole = [text for text in some if len(text) > BEGINNING]
    assert len(some) == DOCUMENTS
    assert WHOLE - 1 <= len(whole) <= WHOLE
    assert max(map(len, whole)) > 0.9 * max(map(len, texts))


def test_a_corpus_of_one_document_is_its_own_sample() -> None:
    some = sample(TrainView(Corpus.of([("d", "", "the only one")])))
    assert some == Sample(("the only one",), ("the only one",))


def test_a_document_that_is_one_of_the_queries_is_not_in_the_sample(view: TrainView) -> None:
    ids = [f"d{i:03}" for i in range(100)]
    queries = Queries(ids, view.corpus.texts[:][:100])
    judged = Labelled(queries, {i: {"d150": 1} for i in ids})
    plain = sample(TrainView(view.corpus, train=judged))
    assert set(plain.documents) & set(plain.queries), "else this test shows nothing"
    some = sample(TrainView(view.corpus, train=dataclasses.replace(judged, drop_self=frozenset(ids))))
    assert not set(some.documents) & set(some.queries)
    assert len(some.documents) == DOCUMENTS
