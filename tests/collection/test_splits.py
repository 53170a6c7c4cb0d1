from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.base.errors import DatasetError, UnknownName
from harness.collection.splits import Parts, build_dataset
from harness.data.corpus import Corpus
from harness.data.dataset import Dataset
from harness.data.documents import Document
from harness.data.queries import Qrels, Queries

CORPUS = Corpus.of([Document("d0", "", "zero"), Document("d1", "", "one")])


def dataset(split: str, **splits: Qrels) -> Dataset:
    ids = sorted({query for qrels in splits.values() for query in qrels})
    parts = Parts(
        "made/up", CORPUS, Queries(ids, [f"about {i}" for i in ids]), {s: (lambda q=q: q) for s, q in splits.items()}
    )
    return build_dataset(parts, split)


def judged(*ids: str) -> Qrels:
    return {i: {"d0": 1} for i in ids}


def test_only_judged_queries_in_the_order_of_the_queries() -> None:
    held = dataset("test", test=judged("c", "a"), train=judged("b"))
    assert held.test.queries.ids == ["a", "c"]
    assert held.test.queries.texts == ["about a", "about c"]
    assert held.name == "made/up/test"


def test_dev_is_kept_where_there_is_one() -> None:
    view = dataset("test", test=judged("a"), train=judged(*map(str, range(50))), dev=judged("b")).train
    assert view.train is not None
    assert view.dev is not None
    assert view.dev.queries.ids == ["b"]
    assert len(view.train.queries) == 50


def test_reporting_on_train_leaves_no_train() -> None:
    view = dataset("train", test=judged("a"), train=judged(*map(str, range(50))), dev=judged("b")).train
    assert view.train is None
    assert view.dev is not None


def test_reporting_on_dev_leaves_no_dev() -> None:
    view = dataset("dev", dev=judged("b"), train=judged(*map(str, range(50)))).train
    assert view.dev is None
    assert view.train is not None
    assert len(view.train.queries) == 50


def test_a_shared_query_is_taken_out_and_noted() -> None:
    held = dataset("test", test=judged("a", "b"), train=judged("a", "t"), dev=judged("b", "v"))
    assert held.notes == (
        "1 queries of train are also in test: left out of train",
        "1 queries of dev are also in test: left out of dev",
    )
    assert held.train.train is not None
    assert held.train.dev is not None
    assert held.train.train.queries.ids == ["t"]
    assert held.train.dev.queries.ids == ["v"]


def test_test_alone_gives_an_empty_view() -> None:
    view = dataset("test", test=judged("a")).train
    assert view.train is None
    assert view.dev is None
    assert view.corpus is CORPUS


IDS = st.sets(st.sampled_from([f"q{n}" for n in range(30)]), min_size=1)


@given(test=IDS, train=st.none() | IDS, dev=st.none() | IDS, reported=st.sampled_from(["test", "train", "dev"]))
def test_nothing_reported_is_in_the_view(
    test: set[str], train: set[str] | None, dev: set[str] | None, reported: str
) -> None:
    splits = {"test": test, "train": train, "dev": dev}
    held = {split: judged(*sorted(ids)) for split, ids in splits.items() if ids}
    if reported not in held:
        with pytest.raises(UnknownName):
            dataset(reported, **held)
        return
    made = dataset(reported, **held)
    seen = [set(part.queries.ids) for part in (made.train.train, made.train.dev) if part]
    assert all(ids.isdisjoint(made.test.queries.ids) for ids in seen)
    assert len(seen) < 2 or seen[0].isdisjoint(seen[1])
    for part in (made.test, made.train.train, made.train.dev):
        assert part is None or set(part.queries.ids) == set(part.qrels)


def test_unknown_split_lists_those_there_are() -> None:
    with pytest.raises(UnknownName, match=r"unknown split 'tset'; did you mean 'test'\? Known: test, train"):
        dataset("tset", test=judged("a"), train=judged("b"))


@pytest.mark.parametrize("name", ["valid", "validation", "val", "dev"])
def test_names_of_dev(name: str) -> None:
    assert dataset(name, dev=judged("a")).name == "made/up/dev"


def test_a_judged_query_without_text() -> None:
    parts = Parts("made/up", CORPUS, Queries(["a"], ["x"]), {"test": lambda: judged("a", "lost")})
    with pytest.raises(
        DatasetError, match=r"made/up: 1 judged queries of split 'test' have no text, for example 'lost'"
    ):
        build_dataset(parts, "test")


def test_queries_that_are_documents_are_known_in_every_split() -> None:
    corpus = Corpus.of([Document(i, "", f"about {i}") for i in "abcdef"] + [Document("d0", "", "zero")])
    splits = {"test": judged("a", "q"), "train": judged("b", "c", "r"), "dev": judged("d", "e", "s")}
    ids = sorted({query for qrels in splits.values() for query in qrels})
    texts = {**{i: f"about {i}" for i in ids}, "c": "something else", "e": "About  E"}
    readers = {s: (lambda q=q: q) for s, q in splits.items()}

    def built(name: str, own: bool | None = None) -> Dataset:
        parts = Parts(name, corpus, Queries(ids, [texts[i] for i in ids]), readers, own=own)
        return build_dataset(parts, "test")

    for dataset, train, dev in (
        (built("made/up"), {"b"}, {"d", "e"}),  # by their texts, apart from white space and case
        (built("made/up", own=True), {"b", "c"}, {"d", "e"}),  # by the rule of the library it comes from
        (built("beir/arguana"), {"b", "c"}, {"d", "e"}),
        (built("made/up", own=False), set(), set()),
    ):
        view = dataset.train
        assert view.train is not None
        assert view.dev is not None
        assert dataset.drop_self == dataset.test.drop_self == ({"a"} if train else set())
        assert (view.train.drop_self, view.dev.drop_self) == (train, dev)
