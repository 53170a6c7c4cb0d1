"""Groups of queries, against components that repeated sweeps and networkx find."""

from __future__ import annotations

import random

import networkx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.collection import groups as module
from harness.collection.groups import connected, copies, document_groups, ordered, query_groups
from harness.data.queries import Labelled, Qrels, Queries
from harness.runtime.context import Context


def split(qrels: Qrels, texts: dict[str, str] | None = None, own: set[str] = frozenset()) -> Labelled:  # type: ignore[assignment]
    ids = list(qrels)
    return Labelled(Queries(ids, [(texts or {}).get(i, f"about {i}") for i in ids]), qrels, frozenset(own))


QRELS = st.dictionaries(
    st.sampled_from([f"q{n}" for n in range(12)]),
    st.dictionaries(st.sampled_from([f"d{n}" for n in range(9)]), st.integers(-1, 2), max_size=3),
    min_size=1,
)


def by_sweeps(qrels: Qrels, pairs: list[tuple[str, str]]) -> set[frozenset[str]]:
    """Labels go from a query to those it is connected with until none changes."""
    relevant = {q: {d for d, grade in grades.items() if grade > 0} for q, grades in qrels.items()}
    label = {q: q for q in qrels}
    changed = True
    while changed:
        changed = False
        for one in qrels:
            for other in qrels:
                linked = relevant[one] & relevant[other] or (one, other) in pairs or (other, one) in pairs
                if linked and label[other] < label[one]:
                    label[one], changed = label[other], True
    return {frozenset(q for q in qrels if label[q] == name) for name in label.values()}


@given(qrels=QRELS, data=st.data())
def test_the_groups_are_the_components_of_the_graph(qrels: Qrels, data: st.DataObject) -> None:
    ids = list(qrels)
    places = st.integers(0, len(ids) - 1)
    pairs = data.draw(st.lists(st.tuples(places, places), max_size=3))
    found = connected(split(qrels), pairs)
    named = [(ids[one], ids[other]) for one, other in pairs]
    assert {frozenset(group) for group in found} == by_sweeps(qrels, named)
    graph = networkx.Graph(named)
    graph.add_nodes_from(ids)
    graph.add_edges_from((q, f"document {d}") for q, grades in qrels.items() for d, g in grades.items() if g > 0)
    assert {frozenset(group) for group in found} == {
        frozenset(each & set(ids)) for each in networkx.connected_components(graph)
    }
    assert sorted(query for group in found for query in group) == sorted(ids)


@given(qrels=QRELS, seed=st.integers(0, 9))
def test_the_order_of_a_file_has_no_effect(qrels: Qrels, seed: int) -> None:
    shuffled = {
        q: dict(random.Random(seed).sample(list(grades.items()), len(grades)))
        for q, grades in random.Random(seed).sample(list(qrels.items()), len(qrels))
    }
    assert connected(split(shuffled), []) == connected(split(qrels), [])
    assert query_groups(shuffled) == query_groups(qrels)


def test_near_copies_are_one_group_and_so_are_a_query_that_is_a_document_and_those_it_answers(context: Context) -> None:
    texts = {
        "a": "the effect of sweep on the lift of a thin wing at low speed",
        "b": "The effect of sweep on the lift of a thin wing, at low speed!",
        "c": "the effect of sweep on the lift of a thin wing at high speed",
        "d": "boundary layers of a cone",
        "e": "heat of a blunt nose",
    }
    qrels = {"a": {"1": 1}, "b": {"2": 1}, "c": {"3": 1}, "d": {"e": 1, "9": 0}, "e": {"4": 1, "9": 0}}
    found = document_groups(split(qrels, texts), context)
    assert {frozenset(g) for g in found} == {frozenset("abc"), frozenset("d"), frozenset("e")}
    found = document_groups(split(qrels, texts, own={"e"}), context)
    assert {frozenset(g) for g in found} == {frozenset("abc"), frozenset("de")}


def test_among_very_many_queries_only_copies_are_found(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = ["how does a wing fly so high", "How does a wing fly so high?", "how does a wing fly so hig", "", "?"]
    queries = Queries(list("abcde"), texts)
    assert copies(queries, context) == [(0, 1), (0, 2), (1, 2)]
    monkeypatch.setattr(module, "NEAR_MOST", 4)
    assert copies(queries, context) == [(0, 1)]


def test_groups_are_in_the_order_of_hashes() -> None:
    # The order of: for i in $(seq 0 19); do printf q$i | sha256sum | sed "s/-/q$i/"; done | sort | head -4
    assert [group[0] for group in query_groups([f"q{n}" for n in range(20)])][:4] == ["q18", "q7", "q4", "q19"]
    assert ordered([["q4", "q5"], ["q9", "q18"]]) == [("q18", "q9"), ("q4", "q5")]
