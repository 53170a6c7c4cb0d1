"""The dev cut: whole groups, the same everywhere, never all of train."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.collection.dev import DEV_MOST, DOCUMENTS, QUERIES, Rule, cut, with_dev
from harness.collection.groups import query_groups
from harness.data.corpus import Corpus
from harness.data.dataset import TrainView
from harness.data.documents import Document
from harness.data.queries import Labelled, Qrels, Queries
from harness.runtime.context import Context

CORPUS = Corpus.of([Document(f"d{n}", "", f"text {n}") for n in range(40)])
WORDS = ["wing", "cone", "heat", "flow", "drag", "nose", "lift", "sweep", "shock", "layer"]


def view(qrels: Qrels, *, own: bool = False) -> TrainView:
    texts = [" ".join(random.Random(query).choices(WORDS, k=12)) for query in qrels]  # no near copies
    return TrainView(CORPUS, Labelled(Queries(list(qrels), texts), qrels, frozenset(qrels) if own else frozenset()))


def pairs_of_queries(number: int) -> dict[str, dict[str, int]]:
    """Two queries for each document."""
    return {f"q{n}": {f"d{n // 2}": 1} for n in range(number)}


def relevant(split: Labelled) -> set[str]:
    return {document for grades in split.qrels.values() for document, grade in grades.items() if grade > 0}


def test_by_documents_dev_and_train_share_no_relevant_document(context: Context) -> None:
    given = view(pairs_of_queries(50))
    found = with_dev(given, DOCUMENTS, context)
    assert found.train is not None
    assert found.dev is not None
    assert (len(found.train.queries), len(found.dev.queries)) == (40, 10)
    assert relevant(found.train).isdisjoint(relevant(found.dev))
    assert found.notes == (
        "dev: 10 of 50 training queries, cut by documents: they share no relevant document with the others",
    )
    assert found.revision != with_dev(given, QUERIES, context).revision


def test_by_queries_as_before(context: Context) -> None:
    ids = [f"q{n}" for n in range(20)]
    found = with_dev(view({i: {"d0": 1} for i in ids}, own=True), QUERIES, context)
    assert found.train is not None
    assert found.dev is not None
    # The first four of the SHA-256 sums of q0 to q19.
    assert found.dev.drop_self == set(found.dev.queries.ids) == {"q18", "q7", "q4", "q19"}
    assert found.train.drop_self == set(found.train.queries.ids) == set(ids) - {"q18", "q7", "q4", "q19"}
    assert found.notes == ("dev: 4 of 20 training queries, cut by queries: they may share documents with the others",)


def test_one_group_is_cut_by_queries_and_says_so(context: Context) -> None:
    ids = [f"q{n}" for n in range(20)]
    found = with_dev(view({i: {"d0": 1} for i in ids}), DOCUMENTS, context)
    assert found.dev is not None
    assert set(found.dev.queries.ids) == {"q18", "q7", "q4", "q19"}
    assert found.notes == (
        "dev: 4 of 20 training queries, cut by queries: they may share documents with the others; by documents it "
        "would have too few, since 20 of them share documents",
    )


def test_a_large_group_stays_in_train(context: Context) -> None:
    qrels = {f"large{n}": {"d0": 1} for n in range(30)} | {f"q{n}": {f"d{n + 1}": 1} for n in range(20)}
    found = with_dev(view(qrels), DOCUMENTS, context)
    assert found.dev is not None
    assert len(found.dev.queries) == 10
    assert all(query.startswith("q") for query in found.dev.queries.ids)


@pytest.mark.parametrize("rule", [DOCUMENTS, QUERIES])
def test_a_few_give_none_and_many_a_thousand(rule: Rule, context: Context) -> None:
    few = view(pairs_of_queries(4))
    assert with_dev(few, rule, context) is few
    assert len(cut(query_groups(map(str, range(9000))))) == DEV_MOST
    assert len(cut([(f"{n}", f"{n} too") for n in range(5000)])) == DEV_MOST


def test_a_dev_split_of_its_own_stays(context: Context) -> None:
    whole = view(pairs_of_queries(20))
    own = TrainView(CORPUS, whole.train, Labelled(Queries(["own"], ["text"]), {"own": {"d0": 1}}))
    assert with_dev(own, DOCUMENTS, context) is own
    kept = with_dev(own, QUERIES, context)
    assert (kept.train, kept.dev) == (own.train, own.dev)
    assert kept.notes == ("dev: 1 queries, the collection's own split: it is not cut from train",)
    bare = TrainView(CORPUS)
    assert with_dev(bare, DOCUMENTS, context) is bare


@given(sizes=st.lists(st.integers(1, 30), min_size=1, max_size=40))
def test_the_cut_takes_whole_groups_and_at_most_a_fifth(sizes: list[int]) -> None:
    groups = [tuple(f"g{number} {n}" for n in range(size)) for number, size in enumerate(sizes)]
    dev, most = cut(groups), int(sum(sizes) * 0.2)
    assert len(dev) <= most
    assert all(set(group) <= dev or dev.isdisjoint(group) for group in groups)
    # What is left out would not have fitted: of the groups no larger than what is missing at the end, none is out.
    assert all(len(group) > most - len(dev) for group in groups if dev.isdisjoint(group))


def test_the_order_of_a_file_has_no_effect(context: Context) -> None:
    qrels = pairs_of_queries(40)
    shuffled = dict(random.Random(3).sample(list(qrels.items()), len(qrels)))
    one, other = (with_dev(view(each), DOCUMENTS, context).dev for each in (qrels, shuffled))
    assert one is not None
    assert other is not None
    assert set(one.queries.ids) == set(other.queries.ids)
