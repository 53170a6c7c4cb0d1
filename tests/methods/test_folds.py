"""With folds, each query is ranked by what was fitted without its fold, whatever the method is."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from harness.base.errors import SettingError
from harness.data.corpus import Corpus
from harness.data.dataset import Dataset, TrainView
from harness.data.queries import Queries
from harness.data.ranking import TopK, select, stack
from harness.datasets import load_dataset
from harness.methods import (
    DEV_LABELS,
    NO_LABELS,
    TRAIN_LABELS,
    Fitted,
    FoldedFitted,
    Method,
    Searcher,
    Size,
    fit,
    index,
    search,
)
from harness.methods._folds import merged
from harness.methods.bm25 import BM25
from harness.methods.hybrid import Hybrid
from harness.rows import parse_method
from harness.runtime.context import Context

SEEN: list[tuple[TrainView, list[str]]] = []
"""The views that a spy was fitted on, and the queries that it was then given."""


@dataclass(frozen=True)
class Spy(Method):
    """A method as a newcomer writes it: learns a number from its view and knows nothing of folds; its key is always the
    same, which it should not be.
    """

    labels: str = TRAIN_LABELS

    def fit(self, view: TrainView, context: Context) -> Fitted:
        asked: list[str] = []
        SEEN.append((view, asked))
        return _Fitted(self, view, asked)


class _Fitted(Fitted):
    def __init__(self, method: Spy, view: TrainView, asked: list[str]) -> None:
        self.key, self.supervision, self._asked = "always the same", method.labels, asked
        self._number = len(view.train.queries) if view.train and method.labels != NO_LABELS else 0
        self.resolved = {"name": "spy", "number": self._number}
        self.notes = ("a note", f"learnt {self._number}")

    def index(self, corpus: Corpus, context: Context) -> Searcher:
        return _Searcher(corpus, self._number, self._asked)


class _Searcher(Searcher):
    def __init__(self, corpus: Corpus, number: int, asked: list[str]) -> None:
        self.key, self.size = f"always the same {number}", Size(index_bytes=number)
        self._corpus, self._number, self._asked = corpus, number, asked

    def search(self, queries: Queries, k: int) -> TopK:
        self._asked += queries.ids
        rows = np.arange(self._number % 7, len(self._corpus), dtype=np.int64)
        scores = [np.random.default_rng(len(q)).random(len(rows), dtype=np.float32) for q in queries.ids]
        return stack([select(rows, s, self._corpus.id_order, k) for s in scores], k)


@pytest.fixture
def folds(small_folder: Path, context: Context) -> Dataset:
    """The 30 training queries, three to each of ten topics, in four folds by topics."""
    SEEN.clear()
    return load_dataset(f"{small_folder}/folds-4", context)


def ranked(method: Method, dataset: Dataset, context: Context, k: int = 20) -> tuple[Fitted, TopK]:
    fitted = fit(method, dataset.train, context)
    searcher = index(method, fitted, dataset.corpus, context)
    return fitted, search(method, searcher, dataset.test.queries, k, context)


@pytest.mark.parametrize("wrap", [lambda spy: spy, lambda spy: Hybrid(methods=(BM25(), spy))], ids=["spy", "hybrid"])
def test_a_model_sees_no_query_and_no_relevant_document_of_its_fold(
    wrap: object, folds: Dataset, context: Context
) -> None:
    method: Method = wrap(Spy())  # type: ignore[operator]
    ranked(method, folds, context)
    assert len(SEEN) == 4
    assert sorted(q for _, asked in SEEN for q in asked) == sorted(folds.test.queries.ids)
    judged, texts = folds.test.qrels, dict(zip(folds.test.queries.ids, folds.test.queries.texts, strict=True))
    for view, asked in SEEN:
        assert asked
        own = {document for query in asked for document, grade in judged[query].items() if grade > 0}
        assert view.folds is None
        for split in (view.train, view.dev):
            assert split is not None
            assert set(asked).isdisjoint(split.queries.ids)
            assert {texts[query] for query in asked}.isdisjoint(split.queries.texts)
            assert own.isdisjoint(d for grades in split.qrels.values() for d, grade in grades.items() if grade > 0)


@pytest.mark.parametrize("text", ["hybrid(fusion=convex)", "hybrid(methods=(bm25, bm25(b=0)), fusion=convex)"])
def test_the_rankings_are_those_of_the_folds_run_one_by_one(
    text: str, folds: Dataset, small_folder: Path, tiny_encoder: Path, context: Context
) -> None:
    method = parse_method(text)
    if "methods" not in text:
        method = Hybrid(methods=(BM25(), parse_method(f'dense(model="{tiny_encoder}")')), fusion=method.fusion)  # type: ignore[attr-defined]
    fitted, top = ranked(method, folds, context)
    assert fitted.supervision == DEV_LABELS
    by_hand = {}
    for part in folds.parts:
        other = Context(cache=context.cache)  # a run of its own
        one, ranking = ranked(method, dataclasses.replace(part, name="by hand"), other)
        assert not isinstance(one, FoldedFitted)
        rows = zip(ranking.indices, ranking.scores, strict=True)
        by_hand.update(zip(part.test.queries.ids, rows, strict=True))
    for query, indices, scores in zip(folds.test.queries.ids, top.indices, top.scores, strict=True):
        np.testing.assert_array_equal(indices, by_hand[query][0])
        np.testing.assert_array_equal(scores, by_hand[query][1])


def test_what_learns_nothing_is_fitted_indexed_and_searched_as_without_folds(folds: Dataset, context: Context) -> None:
    fitted, top = ranked(BM25(), folds, context)
    assert not isinstance(fitted, FoldedFitted)
    assert fitted.supervision == NO_LABELS
    steps = [step.kind for step in context.ledger.steps.values() if step.kind in ("index", "search")]
    assert steps == ["index", "search"]
    _, alone = ranked(BM25(), dataclasses.replace(folds, load_train=lambda: TrainView(folds.corpus)), context)
    np.testing.assert_array_equal(top.indices, alone.indices)
    ranked(Hybrid(methods=(BM25(), BM25(b=0))), folds, context)
    assert [step.label for step in context.ledger.steps.values() if step.kind == "index"] == [
        "index bm25",
        "index bm25(b=0)",
        "index hybrid(methods=(bm25, bm25(b=0)))",
    ]


def test_what_learnt_from_one_fold_never_answers_for_another_even_with_one_key(
    folds: Dataset, context: Context
) -> None:
    fitted = [fit(Spy(), view, context) for view in folds.train.views]
    assert len({one.key for one in fitted}) == 1
    searchers = [index(Spy(), one, folds.corpus, context) for one in fitted]
    assert len(set(map(id, searchers))) == 4


def test_a_folded_row_says_what_its_folds_have_in_common_and_in_what_they_differ(
    folds: Dataset, context: Context
) -> None:
    fitted, _ = ranked(Spy(), folds, context)
    assert isinstance(fitted, FoldedFitted)
    assert fitted.supervision == TRAIN_LABELS
    numbers = [len(view.train.queries) for view in folds.train.views if view.train]
    assert fitted.resolved == {"name": "spy", "folds": [{"number": n} for n in numbers]}
    assert fitted.notes[0] == "a note"
    assert all(note.startswith(("fold ", "folds ")) for note in fitted.notes[1:])
    searcher = index(Spy(), fitted, folds.corpus, context)
    assert searcher.size == Size(index_bytes=max(numbers))  # a user has one system, not four
    assert searcher.report(folds.test.queries).size == searcher.size
    assert merged([{"a": 1, "b": 2}, {"a": 1}]) == {"a": 1, "folds": [{"b": 2}, {}]}
    assert merged([{"a": 1}, {"a": 1}]) == {"a": 1}


def test_queries_in_any_order_and_alone_are_ranked_the_same_and_others_are_refused(
    folds: Dataset, context: Context
) -> None:
    fitted, top = ranked(Spy(), folds, context)
    searcher, queries = index(Spy(), fitted, folds.corpus, context), folds.test.queries
    backwards = searcher.search(Queries(queries.ids[::-1], queries.texts[::-1]), 20)
    np.testing.assert_array_equal(backwards.indices[::-1], top.indices)
    alone = searcher.search(queries.only(queries.ids[4:5]), 20)
    np.testing.assert_array_equal(alone.indices[0], top.indices[4])
    with pytest.raises(SettingError, match="query 'of no fold' is in no fold"):
        searcher.search(Queries(["of no fold"], ["text"]), 5)


def test_folds_compute_with_one_engine(folds: Dataset) -> None:
    assert len({view.shared.revision for view in folds.train.views}) == 1
    plain = TrainView(folds.corpus)
    assert plain.shared is plain
