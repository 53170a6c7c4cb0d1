from __future__ import annotations

import json
from pathlib import Path

from harness.collection.self_retrieval import LEFT_OUT, MANIFEST, PARTS, declared, self_retrieval
from harness.data.corpus import Corpus
from harness.data.queries import Queries

CORPUS = Corpus.of([("1", "Wing Lift", "The lift of a wing."), ("2", "", "Drag"), ("3", "", "Heat")])


def test_a_query_that_is_the_document() -> None:
    queries = Queries(["1", "2", "q"], ["the lift  of a\nWING.", "drag", "Heat"])
    dropped, notes = self_retrieval("folder/mine", queries, CORPUS)
    assert dropped == {"1", "2"}
    assert notes == ("2 queries are also documents: each is left out of its own ranking",)


def test_title_and_text_together_count_as_the_text() -> None:
    assert self_retrieval("folder/mine", Queries(["1"], ["Wing lift the lift of a wing."]), CORPUS)[0] == {"1"}


def test_the_title_alone_does_not() -> None:
    assert self_retrieval("folder/mine", Queries(["1"], ["Wing lift"]), CORPUS)[0] == frozenset()


def test_numbers_that_merely_coincide_are_kept_and_noted() -> None:
    dropped, notes = self_retrieval("beir/cranfield", Queries(["1", "2"], ["what is lift", "what is drag"]), CORPUS)
    assert dropped == frozenset()
    assert notes == ("2 query ids are also document ids with another text: these documents stay in the rankings",)


def test_arguana_and_quora_drop_whatever_the_text() -> None:
    queries = Queries(["1", "9"], ["something else", "not a document"])
    for name in ("beir/arguana", "beir/quora"):
        assert self_retrieval(name, queries, CORPUS)[0] == {"1"}


def test_nothing_to_say() -> None:
    assert self_retrieval("beir/x", Queries(["a"], ["Drag"]), CORPUS) == (frozenset(), ())


def test_a_made_set_says_that_its_queries_are_parts_of_documents(tmp_path: Path) -> None:
    assert declared(tmp_path) is None
    for content, expected in (
        (json.dumps({"queries": {PARTS: True}}), True),
        (json.dumps({"queries": {PARTS: False}}), None),
        (json.dumps({"queries": "of another tool"}), None),
        (json.dumps({"queries": {LEFT_OUT: False}}), False),
        (json.dumps({"queries": {LEFT_OUT: True}}), True),
        (json.dumps({"queries": {LEFT_OUT: "yes", PARTS: True}}), True),
        (json.dumps([1]), None),
        ("no JSON", None),
    ):
        (tmp_path / MANIFEST).write_text(content)
        assert declared(tmp_path) is expected
    queries = Queries(["1", "q"], ["lift", "drag"])
    assert self_retrieval("folder/mine", queries, CORPUS, always=True)[0] == {"1"}
