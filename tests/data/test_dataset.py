"""A judged collection and what training may see of it."""

from __future__ import annotations

import dataclasses

from harness.data.corpus import Corpus
from harness.data.dataset import Dataset, Fold, Folds, TrainView
from harness.data.queries import Labelled, Queries

CORPUS = Corpus.of([("d1", "", "a"), ("d2", "", "b")])


def labelled(**qrels: dict[str, int]) -> Labelled:
    return Labelled(Queries(list(qrels), [f"text {q}" for q in qrels]), qrels)


def themselves(*ids: str) -> Labelled:
    return dataclasses.replace(labelled(q1={"d1": 1}), drop_self=frozenset(ids))


def dataset(**changed: object) -> Dataset:
    parts = {
        "name": "mine/a/test",
        "corpus": CORPUS,
        "test": labelled(q1={"d1": 1}),
        "load_train": lambda: TrainView(CORPUS),
    }
    return Dataset(**{**parts, **changed})  # type: ignore[arg-type]


def test_a_train_view_has_no_way_to_test_queries_or_judgements() -> None:
    assert {field.name for field in dataclasses.fields(TrainView)} == {
        *("corpus", "train", "dev", "notes"),
        *("folds", "fold"),  # `harness.methods.fit` takes a view with folds apart, and no method is given one
    }


def test_the_revision_of_a_view_tells_train_from_dev() -> None:
    part = labelled(q1={"d1": 1})
    views = [
        TrainView(CORPUS),
        TrainView(CORPUS, train=part),
        TrainView(CORPUS, dev=part),
        TrainView(CORPUS, part, part),
    ]
    assert len({view.revision for view in views}) == 4
    assert TrainView(Corpus.of([("d1", "", "a")])).revision != TrainView(CORPUS).revision
    own = dataclasses.replace(part, drop_self=frozenset({"q1"}))
    assert TrainView(CORPUS, dev=part).revision != TrainView(CORPUS, dev=own).revision


def test_a_dataset_with_folds_is_one_dataset_for_each_with_its_own_queries_and_view() -> None:
    one, two = labelled(q1={"d1": 1}), labelled(q2={"d1": 1})
    views = TrainView(CORPUS, two, fold=0), TrainView(CORPUS, dev=one, fold=1)
    folds = Folds((Fold(frozenset({"q1"}), views[0]), Fold(frozenset({"q2"}), views[1])), "queries", 2)
    both = labelled(q2={"d1": 1}, q1={"d1": 1})
    held = dataset(test=both, load_train=lambda: TrainView(CORPUS, folds=folds))
    assert [part.test.queries.ids for part in held.parts] == [["q1"], ["q2"]]
    assert [part.train for part in held.parts] == list(views) == list(held.train.views)
    assert [part.name for part in held.parts] == [held.name] * 2
    assert held.train.labelled
    assert folds.describe() == {
        **{"folds": 2, "by": "queries", "groups": 2},
        **{"queries": [1, 1], "train": [1, 0], "dev": [0, 1]},
    }
    plain = dataset()
    assert plain.parts == (plain,)
    assert plain.train.views == (plain.train,)
    assert not TrainView(CORPUS).labelled
    swapped = Folds((Fold(frozenset({"q2"}), views[0]), Fold(frozenset({"q1"}), views[1])), "queries", 2)
    revisions = {TrainView(CORPUS, folds=each).revision for each in (folds, swapped, None)}
    assert len(revisions) == 3


def test_train_is_loaded_when_first_asked_for_and_once() -> None:
    calls: list[int] = []
    held = dataset(load_train=lambda: calls.append(1) or TrainView(CORPUS))
    assert held.revision
    assert not calls
    assert held.train is held.train
    assert calls == [1]


def test_the_revision_of_a_dataset_follows_everything_that_moves_a_figure() -> None:
    changed = [
        dataset(corpus=Corpus.of([("d1", "", "a")])),
        dataset(test=labelled(q1={"d1": 2})),
        dataset(test=labelled(q2={"d1": 1})),
        dataset(test=themselves("q1")),
    ]
    assert len({d.revision for d in [dataset(), *changed]}) == 5


def test_the_revision_of_a_dataset_does_not_follow_words_about_it() -> None:
    assert dataset(name="other", notes=("a",), licence="CC0").revision == dataset().revision
    assert dataset(test=themselves(*"abcdefgh")).revision == dataset(test=themselves(*"hgfedcba")).revision


def test_unreachable_counts_relevant_judgements_of_documents_that_are_not_there() -> None:
    test = labelled(q1={"d1": 1, "gone": 1, "gone too": 0, "negative": -1}, q2={"gone": 2})
    assert dataset(test=test).unreachable == 2
    assert dataset(test=labelled(q1={"gone": 0})).unreachable == 0
