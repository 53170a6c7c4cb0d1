"""Which pair is next: by rows for machines, whole queries in a random order for people."""

from __future__ import annotations

import itertools
from collections.abc import Callable

from harness.bench.store import Store, StoredRecord
from harness.collection.labels import Label
from harness.data.corpus import Corpus
from harness.data.queries import Queries
from harness.data.ranking import Run, TopK
from harness.judging.due import board_rankings, for_a_person, holes, pooled_pairs
from harness.runtime.context import Context

import numpy as np  # isort: skip

ONE = {"q1": ["a", "b", "c"], "q2": ["d"]}
OTHER = {"q1": ["b", "e"], "q3": ["x"]}


def test_documents_that_many_rows_rank_high_come_first() -> None:
    pairs = pooled_pairs([ONE, OTHER], ["q1", "q2"])
    assert pairs[0] == ("q1", "b")
    assert set(pairs) == {("q1", "a"), ("q1", "b"), ("q1", "c"), ("q1", "e"), ("q2", "d")}
    assert pairs[1:3] == [("q1", "a"), ("q2", "d")]


def test_holes_are_what_nobody_judged() -> None:
    labels = [Label("q1", "b", 0, "dense", "machine")]
    assert ("q1", "b") not in holes(pooled_pairs([ONE], ["q1"]), labels)
    assert len(holes(pooled_pairs([ONE], ["q1"]), labels)) == 2


def test_a_person_finishes_each_query_and_the_order_of_queries_is_the_same_for_all() -> None:
    machine = [Label(f"q{i}", f"d{j}", 1, "dense", "machine") for i in range(9) for j in range(5)]
    context = Context(seed=3)
    orders = [for_a_person([("q0", "extra")], machine, name, context) for name in ("ann", "bob")]
    for order in orders:
        assert len(order) == 46
        queries = [query for query, _ in itertools.groupby(order, lambda pair: pair[0])]
        assert len(queries) == 9
    assert [q for q, _ in orders[0]] == [q for q, _ in orders[1]]
    assert orders[0] != orders[1]
    assert [q for q, _ in orders[0]] != [q for q, _ in for_a_person([], machine, "ann", Context(seed=4))]
    own = [Label(*orders[0][0], 2, "ann", "person")]
    assert for_a_person([("q0", "extra")], [*machine, *own], "ann", context) == orders[0][1:]
    assert for_a_person([("q0", "extra")], [*machine, *own], "bob", context) == orders[1]


def test_rankings_come_from_the_runs_on_the_board(results: Store, put: Callable[..., StoredRecord]) -> None:
    corpus = Corpus.of([("a", "", "x"), ("b", "", "y")])
    run = Run(Queries(["q1"], ["t"]), TopK(np.array([[1, 0]]), np.array([[2.0, 1.0]], np.float32)), corpus)
    stored = put("bm25", {"q1": 0.5}, dataset="d/x")
    put("norun", {"q1": 0.5}, dataset="d/x")
    results.write_run(stored.place, run, "bm25")
    assert board_rankings(results.root, "d/x", 1) == {"bm25": {"q1": ["b"]}}
    assert board_rankings(results.root, "d/other", 1) == {}
