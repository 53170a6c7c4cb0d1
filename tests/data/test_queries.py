"""Queries and judgements."""

from __future__ import annotations

import dataclasses

import pytest

from harness.base.errors import DatasetError
from harness.data.queries import Labelled, Queries


def labelled(**qrels: dict[str, int]) -> Labelled:
    return Labelled(Queries(list(qrels), [f"text {q}" for q in qrels]), qrels)


def test_an_id_twice_is_refused_with_the_id() -> None:
    with pytest.raises(DatasetError, match="query id 'b' appears more than once"):
        Queries(["a", "b", "c", "b"], ["1", "2", "3", "4"])


def test_ids_and_texts_must_be_as_many() -> None:
    with pytest.raises(DatasetError, match="2 query ids but 1 texts"):
        Queries(["a", "b"], ["1"])


def test_no_query_is_allowed() -> None:
    assert len(Queries([], [])) == 0


def test_only_keeps_the_order_here_and_ignores_ids_it_has_not() -> None:
    some = Queries(["a", "b", "c"], ["1", "2", "3"]).only(["c", "x", "a"])
    assert (some.ids, some.texts) == (["a", "c"], ["1", "3"])


@pytest.mark.parametrize(
    "other",
    [
        (["b", "a"], ["2", "1"]),
        (["a", "b"], ["2", "1"]),
        (["a"], ["1"]),
        (["a", "1"], ["b", "2"]),
        (["a", "b"], ["1", "\ud800"]),
    ],
)
def test_the_revision_tells_queries_apart(other: tuple[list[str], list[str]]) -> None:
    assert Queries(["a", "b"], ["1", "2"]).revision != Queries(*other).revision
    assert Queries(*other).revision == Queries(*other).revision


def test_the_revision_of_judgements_does_not_depend_on_their_order() -> None:
    one = Labelled(Queries(["a", "b"], ["", ""]), {"a": {"x": 1, "y": 2}, "b": {"x": 0}})
    two = Labelled(Queries(["a", "b"], ["", ""]), {"b": {"x": 0}, "a": {"y": 2, "x": 1}})
    assert one.revision == two.revision


@pytest.mark.parametrize("qrels", [{"a": {"x": 2}}, {"a": {"y": 1}}, {"a": {"x": 1, "y": 0}}, {"a": {}}])
def test_the_revision_tells_judgements_apart(qrels: dict[str, dict[str, int]]) -> None:
    queries = Queries(["a"], [""])
    assert Labelled(queries, {"a": {"x": 1}}).revision != Labelled(queries, qrels).revision


def test_a_split_knows_which_of_its_queries_are_documents_and_how_deep_to_search() -> None:
    plain, own = (
        labelled(q1={"d1": 1}, q2={"d2": 1}),
        dataclasses.replace(labelled(q1={"d1": 1}, q2={"d2": 1}), drop_self={"q2"}),
    )
    assert (plain.search_depth(10), own.search_depth(10)) == (10, 11)
    assert own.only(["q1"]).drop_self == frozenset()
    assert own.only(["q1"]).search_depth(10) == 10
    assert own.only(["q2"]).qrels == {"q2": {"d2": 1}}
    assert plain.revision == plain.judged_revision == own.judged_revision != own.revision
