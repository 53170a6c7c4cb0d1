"""A copy of a collection has another name, and leaves the same documents out of its rankings."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.base.errors import DatasetError
from harness.collection.copied_rule import copy_rule
from harness.collection.self_retrieval import MANIFEST, PARTS, declared, self_retrieval
from harness.data.corpus import Corpus
from harness.data.queries import Labelled, Queries

CORPUS = Corpus.of([("1", "", "Lift of a wing"), ("2", "", "Drag"), ("3", "", "Heat")])
QUERIES = Queries(["1", "2", "q"], ["lift", "drag", "heat"])
"""The first has the id of another text, the second is a document, the third has an id of its own."""


def split(*dropped: str) -> Labelled:
    return Labelled(QUERIES, {query: {"3": 1} for query in QUERIES.ids}, frozenset(dropped))


@pytest.mark.parametrize(("dropped", "rule"), [(("2",), None), (("1", "2"), True), ((), False)])
def test_a_manifest_says_the_rule_if_the_texts_do_not(
    dropped: tuple[str, ...], rule: bool | None, tmp_path: Path
) -> None:
    copy_rule("beir/x", [split(*dropped)], CORPUS, None, tmp_path)
    assert declared(tmp_path) is rule
    assert (tmp_path / MANIFEST).exists() is (rule is not None)
    assert self_retrieval("folder/copy", QUERIES, CORPUS, declared(tmp_path))[0] == set(dropped)


def test_the_manifest_of_the_original_is_copied_if_it_gives_the_rule(tmp_path: Path) -> None:
    source, copy = tmp_path / "source", tmp_path / "copy"
    source.mkdir()
    (source / MANIFEST).write_text(json.dumps({"judge": "panel", "queries": {PARTS: True}}))
    copy_rule("folder/source", [split("1", "2")], CORPUS, source, copy)
    assert (copy / MANIFEST).read_bytes() == (source / MANIFEST).read_bytes()
    copy_rule("folder/source", [split()], CORPUS, source, copy)  # it does not say what this split leaves out
    assert declared(copy) is False


def test_a_rule_that_no_manifest_can_say_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="plug/x leaves the own documents of some queries out"):
        copy_rule("plug/x", [split("1")], CORPUS, None, tmp_path)
    assert not (tmp_path / MANIFEST).exists()
