import dataclasses
from collections.abc import Mapping

import pytest

from harness.base.errors import SettingError, Unavailable
from harness.data.corpus import Corpus
from harness.data.dataset import TrainView
from harness.data.queries import Labelled, Queries
from harness.leaks.history import TrainedQuery
from harness.runtime.context import Context
from harness.training.gold import gold, judged_rows


def view_of(qrels: Mapping[str, Mapping[str, int]], documents: str = "abcdefgh") -> TrainView:
    corpus = Corpus.of([(letter, "", f"text of {letter}") for letter in documents])
    return TrainView(corpus, Labelled(Queries(list(qrels), [f"what is {q}" for q in qrels]), qrels))


def many(count: int) -> TrainView:
    return view_of({f"q{i}": {"abcdefgh"[i % 8]: 1} for i in range(count)})


def test_relevant_rows_come_best_grade_first_then_by_row(context: Context) -> None:
    found = gold(view_of({"q": {"h": 1, "a": 1, "d": 3, "c": 0, "b": 3, "e": -1, "f": 2}}), context)
    assert found.relevant[0].tolist() == [1, 3, 5, 0, 7]
    assert found.judged[0].tolist() == [0, 1, 2, 3, 4, 5, 7]
    assert list(found.pairs()) == [(0, 1), (0, 3), (0, 5), (0, 0), (0, 7)]


def test_judged_documents_that_the_corpus_lacks_are_left_out(context: Context) -> None:
    found = gold(view_of({"q": {"x": 2, "b": 1, "y": 0}, "lost": {"x": 1}, "zero": {"a": 0}, "p": {"c": 1}}), context)
    assert found.queries.ids == ["q", "p"]
    assert found.queries.texts == ["what is q", "what is p"]
    assert [rows.tolist() for rows in found.relevant] == [[1], [2]]
    assert [rows.tolist() for rows in found.judged] == [[1], [2]]
    assert len(found) == 2


def test_the_subsets_of_one_seed_are_nested_and_another_seed_draws_others(context: Context) -> None:
    view = many(400)
    drawn = {count: gold(view, context, count).queries.ids for count in (1, 10, 100, 300, 399)}
    for count, ids in drawn.items():
        assert len(ids) == count
        assert ids == [q for q in gold(view, context).queries.ids if q in set(ids)], "in the order of the collection"
    for small, large in zip(list(drawn), list(drawn)[1:], strict=False):
        assert set(drawn[small]) < set(drawn[large])
    assert gold(view, context, 100).queries.ids == drawn[100]
    other = Context(seed=1, cache=context.cache)
    assert set(gold(view, other, 100).queries.ids) != set(drawn[100])
    assert drawn[100] != gold(view, context).queries.ids[:100]


def test_more_queries_than_there_are_takes_all(context: Context) -> None:
    assert len(gold(many(5), context, 5)) == len(gold(many(5), context, 99)) == len(gold(many(5), context)) == 5


def test_rows_belong_to_their_queries_after_drawing(context: Context) -> None:
    found = gold(many(80), context, 20)
    assert [rows.tolist() for rows in found.relevant] == [[int(q[1:]) % 8] for q in found.queries.ids]


def test_a_view_without_training_judgements_says_so(context: Context) -> None:
    with pytest.raises(Unavailable, match="no training judgements"):
        gold(TrainView(Corpus.of([("a", "", "b")])), context)


def test_a_view_whose_relevant_documents_are_all_missing_says_so(context: Context) -> None:
    with pytest.raises(Unavailable, match="no training query has a relevant document in the corpus"):
        gold(view_of({"q": {"x": 1}, "p": {"a": 0}}), context)


def test_no_queries_at_all_cannot_be_asked_for(context: Context) -> None:
    with pytest.raises(SettingError, match="queries must be 1 or more, not 0"):
        gold(many(3), context, 0)


def test_a_query_without_judgements_has_no_rows() -> None:
    view = view_of({"q": {"a": 1}})
    split = Labelled(Queries(["q", "p"], ["1", "2"]), {"q": {"a": 1}})
    assert [(r.tolist(), j.tolist()) for r, j in judged_rows(split, view)] == [([0], [0]), ([], [])]


def test_what_is_learnt_from_gold_is_each_query_with_its_relevant_documents(context: Context) -> None:
    view = view_of({"q": {"h": 1, "a": 0, "d": 3}, "p": {"c": 1}})
    assert gold(view, context).trained_queries(view) == [
        TrainedQuery("gold", "what is q", ("d", "h")),
        TrainedQuery("gold", "what is p", ("c",)),
    ]


def test_the_document_that_a_query_is_itself_is_never_its_negative(context: Context) -> None:
    plain = view_of({"a": {"b": 1}, "q": {"c": 1, "a": 2}, "d": {"d": 1}})
    assert plain.train is not None
    split = dataclasses.replace(plain.train, drop_self=frozenset({"a", "d"}))
    found = gold(TrainView(plain.corpus, split), context)
    assert [rows.tolist() for rows in found.relevant] == [[1], [0, 2], [3]]
    assert [sorted(rows.tolist()) for rows in found.never_negative] == [[0, 1], [0, 2], [3]]
    assert [rows.tolist() for rows in gold(plain, context).never_negative] == [[1], [0, 2], [3]]
