"""Folds: whole groups, balanced, every labelled query once; a fold's view has nothing of the fold."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.base.errors import DatasetError
from harness.collection.dev import DOCUMENTS, QUERIES, Rule
from harness.collection.folds import balanced, folded, labelled_queries
from harness.collection.groups import query_groups
from harness.data.corpus import Corpus
from harness.data.dataset import Dataset, TrainView
from harness.data.documents import Document
from harness.data.queries import Labelled, Qrels, Queries
from harness.leaks.overlap import alike
from harness.runtime.context import Context

CORPUS = Corpus.of([Document(f"d{n}", "", f"text {n}") for n in range(60)])
WORDS = ["wing", "cone", "heat", "flow", "drag", "nose", "lift", "sweep", "shock", "layer"]


def split(qrels: Qrels, texts: dict[str, str] | None = None) -> Labelled:
    made = [(texts or {}).get(q, " ".join(random.Random(q).choices(WORDS, k=12))) for q in qrels]
    return Labelled(Queries(list(qrels), made), qrels)


def collection(test: Qrels, train: Qrels | None = None, dev: Qrels | None = None, **texts: str) -> Dataset:
    view = TrainView(CORPUS, split(train, texts) if train else None, split(dev, texts) if dev else None)
    return Dataset("made/up/test", CORPUS, split(test, texts), lambda: view, notes=("of the collection",))


@pytest.fixture
def cut(context: Context) -> Callable[..., Dataset]:
    def one(dataset: Dataset, count: int = 3, by: Rule = DOCUMENTS, dev: Rule | None = None) -> Dataset:
        return folded(dataset, f"made/up/folds-{count}", count, by, dev or by, context)

    return one


def judged(prefix: str, queries: int, first: int = 0) -> dict[str, dict[str, int]]:
    """Two queries for each document, one of them with a second document that is not relevant."""
    return {f"{prefix}{n}": {f"d{first + n // 2}": 1, "d59": 0} for n in range(queries)}


def relevant(labelled: Labelled) -> set[str]:
    return {document for grades in labelled.qrels.values() for document, grade in grades.items() if grade > 0}


@given(sizes=st.lists(st.integers(1, 40), min_size=5, max_size=60), count=st.integers(2, 5))
def test_folds_are_whole_groups_and_as_equal_as_the_largest_group_allows(sizes: list[int], count: int) -> None:
    groups = [tuple(f"g{number} {n}" for n in range(size)) for number, size in enumerate(sizes)]
    folds = balanced(groups, count)
    assert len(folds) == count
    assert sorted(q for fold in folds for q in fold) == sorted(q for group in groups for q in group)
    assert all(set(group) <= fold or fold.isdisjoint(group) for group in groups for fold in folds)
    assert all(folds)
    assert max(map(len, folds)) - min(map(len, folds)) <= max(sizes)


def test_every_labelled_query_is_in_one_fold_and_test_in_none(cut: Callable[..., Dataset]) -> None:
    dataset = collection(judged("test", 8, 40), judged("train", 30), judged("dev", 8, 20))
    made = cut(dataset)
    assert made.name == "made/up/folds-3"
    assert len(made.test.queries) == 38
    folds = made.train.folds
    assert folds is not None
    assert (folds.by, folds.groups) == ("documents", 19)
    assert sorted(q for fold in folds.parts for q in fold.queries) == sorted(made.test.queries.ids)
    assert not any(query.startswith("test") for query in made.test.queries.ids)
    assert (made.train.train, made.train.dev) == (None, None)
    assert made.train.labelled
    assert sorted(folds.describe()["queries"]) == [12, 12, 14]
    for part in made.parts:
        view = part.train
        assert view.train is not None
        assert view.dev is not None
        seen = {*view.train.queries.ids, *view.dev.queries.ids}
        assert seen == set(made.test.queries.ids) - set(part.test.queries.ids)
        assert set(view.train.queries.ids).isdisjoint(view.dev.queries.ids)


def test_a_folds_view_has_no_query_and_no_relevant_document_of_the_fold(cut: Callable[..., Dataset]) -> None:
    copies = {f"train{n}": f"the effect of number {n // 10} on the heat of a blunt wing" for n in (0, 10, 20)}
    texts = dict.fromkeys(copies, "the heat of a blunt wing and its drag at low speed")
    dataset = collection(judged("test", 4, 40), judged("train", 30), None, **texts)
    for part in cut(dataset, 4).parts:
        own = relevant(part.test)
        for labelled in (part.train.train, part.train.dev):
            assert labelled is not None
            assert own.isdisjoint(relevant(labelled))
            assert set(part.test.queries.ids).isdisjoint(labelled.queries.ids)
            assert set(part.test.queries.texts).isdisjoint(labelled.queries.texts)
            assert not alike(part.test.queries.texts, labelled.queries.texts)
        assert part.train.train is not None
        assert part.train.dev is not None
        assert relevant(part.train.train).isdisjoint(relevant(part.train.dev))
        assert part.train.fold is not None


def test_folds_by_queries_share_documents(cut: Callable[..., Dataset]) -> None:
    made = cut(collection(judged("test", 4, 40), judged("train", 30)), 3, QUERIES)
    assert made.train.folds is not None
    assert (made.train.folds.by, made.train.folds.groups) == ("queries", 30)
    assert any(relevant(part.test) & relevant(part.train.train) for part in made.parts if part.train.train)
    assert "cut by queries" in made.train.notes[0]
    mixed = cut(collection(judged("test", 4, 40), judged("train", 30)), 3, QUERIES, DOCUMENTS)
    for part in mixed.parts:
        assert part.train.train is not None
        assert part.train.dev is not None
        assert relevant(part.train.train).isdisjoint(relevant(part.train.dev))


def test_a_collection_with_one_split_folds_that(cut: Callable[..., Dataset]) -> None:
    dataset = collection(judged("test", 20))
    assert labelled_queries(dataset) is dataset.test
    made = cut(dataset)
    assert made.test is dataset.test
    assert made.notes[0] == "of the collection"
    assert made.notes[1] == (
        "3 folds by documents: 20 queries in 10 groups that share no relevant document; folds of 8, 6, 6 queries, each "
        "ranked by a system that was fitted on the other folds only"
    )


def test_notes_are_about_the_queries_that_are_reported(cut: Callable[..., Dataset]) -> None:
    dataset = collection({"t": {"d40": 0}, "u": {"d41": 1}}, {**judged("train", 20), "none": {"d1": 0}})
    notes = cut(
        Dataset(
            dataset.name,
            CORPUS,
            dataset.test,
            dataset.load_train,
            ("1 of 2 queries have no judgement above 0: every row scores 0 on them",),
        )
    ).notes
    assert [note for note in notes if "no judgement" in note] == [
        "1 of 21 queries have no judgement above 0: every row scores 0 on them"
    ]


def test_one_large_group_is_a_fold_of_its_own_and_said(cut: Callable[..., Dataset]) -> None:
    giant = {f"giant{n}": {"d0": 1} for n in range(30)}
    made = cut(collection({**giant, **judged("q", 12, 10)}))
    assert made.train.folds is not None
    assert sorted(map(len, (fold.queries for fold in made.train.folds.parts))) == [6, 6, 30]
    assert made.notes[-1] == (
        "folds are unequal: one group has many of the queries, so a system for 30 of the 42 queries was fitted on the "
        "other 12"
    )


def test_too_few_groups_are_refused_with_a_way_out(cut: Callable[..., Dataset]) -> None:
    with pytest.raises(DatasetError) as told:
        cut(collection({f"q{n}": {"d0": 1} for n in range(9)}))
    assert str(told.value) == (
        "made/up/folds-3: its 9 queries are in 1 groups that share no relevant document, too few for 3 folds by "
        "documents. Cut by queries: made/up/folds-3-queries, or --folds 3-queries."
    )
    with pytest.raises(DatasetError, match=r"the largest has 8 of them.*Name 2 folds, or cut by queries: made"):
        cut(collection({**{f"q{n}": {"d0": 1} for n in range(8)}, "other": {"d1": 1}}))
    with pytest.raises(DatasetError, match=r"Cut by queries: made/up/folds-2-queries, or --folds 2-queries\."):
        cut(collection({"q0": {"d0": 1}, "q1": {"d0": 1}}))
    for by in (DOCUMENTS, QUERIES):
        with pytest.raises(DatasetError, match=r"made/up/folds-3.*: it has one labelled query, which cannot be cut"):
            cut(collection({"q0": {"d0": 1}}), 3, by)
    with pytest.raises(DatasetError, match="2 queries cannot be cut into 3 folds; name fewer"):
        cut(collection(judged("q", 2)), 3, QUERIES)


def test_the_order_of_a_file_has_no_effect(cut: Callable[..., Dataset]) -> None:
    train = judged("train", 30)
    shuffled = dict(random.Random(5).sample(list(train.items()), len(train)))
    one, other = (cut(collection(judged("test", 4, 40), each)) for each in (train, shuffled))
    for left, right in zip(one.parts, other.parts, strict=True):
        assert set(left.test.queries.ids) == set(right.test.queries.ids)
        assert left.train.dev is not None
        assert right.train.dev is not None
        assert set(left.train.dev.queries.ids) == set(right.train.dev.queries.ids)


def test_the_revision_follows_the_folds(cut: Callable[..., Dataset]) -> None:
    dataset = collection(judged("test", 4, 40), judged("train", 30))
    made = [cut(dataset, 3), cut(dataset, 4), cut(dataset, 3, QUERIES), cut(dataset, 3, DOCUMENTS, QUERIES)]
    assert len({each.train.revision for each in made}) == 4
    assert cut(dataset, 3).train.revision == made[0].train.revision
    assert balanced(query_groups(["a", "b"]), 2) == balanced(query_groups(["b", "a"]), 2)
