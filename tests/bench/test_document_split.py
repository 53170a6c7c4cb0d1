"""Which test queries ask about documents that training asked about, and what a record has of it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from harness.bench.document_split import DocumentSplit, common_split, part_mean, split_entry, split_of
from harness.bench.record import Record
from harness.bench.store import StoredRecord
from harness.leaks.overlap import Leaks

VALUES = {"nDCG@10": {"a": 1.0, "b": 0.5, "c": 0.0, "d": 0.2}, "R@5": {"a": 1.0, "b": 1.0, "c": 0.0, "d": 0.0}}


def test_a_shared_document_or_a_near_copy_makes_a_query_old() -> None:
    entry = split_entry(Leaks({"a": ("t1", "near", 0.8)}, ("b",)), VALUES)
    assert entry == {
        "old": {"count": 2, "means": {"nDCG@10": 0.75, "R@5": 1.0}},
        "new": {"count": 2, "means": {"nDCG@10": 0.1, "R@5": 0.0}},
        "listed": "old",
        "ids": ["a", "b"],
    }


def test_the_ids_of_the_smaller_part_are_listed() -> None:
    entry = split_entry(Leaks({}, ("a", "b", "c")), VALUES)
    assert (entry["listed"], entry["ids"]) == ("new", ["d"])
    none = split_entry(Leaks({}, ()), VALUES)
    assert none["old"] == {"count": 0, "means": {}}
    assert (none["listed"], none["ids"]) == ("old", [])


@pytest.mark.parametrize("old", [("a",), ("a", "b", "c")])
def test_a_record_gives_the_split_back(put: Callable[..., StoredRecord], old: tuple[str, ...]) -> None:
    leaks = {"split": split_entry(Leaks({}, old), VALUES)}
    record = Record.from_json(put("bm25", VALUES["nDCG@10"], leaks=leaks).record.to_json(), "here")
    split = split_of(record)
    assert split is not None
    ids = tuple("dcba")
    assert {ids[i] for i in split.places("old", ids)} == set(old)
    assert {ids[i] for i in split.places("new", ids)} == set("abcd") - set(old)
    assert (split.count("old"), split.count("new")) == (len(old), 4 - len(old))
    assert part_mean(record, "old", "nDCG@10") == pytest.approx(
        sum(VALUES["nDCG@10"][q] for q in old) / len(old), abs=1e-6
    )


def test_records_of_earlier_versions_share_the_split_of_the_others(put: Callable[..., StoredRecord]) -> None:
    values = VALUES["nDCG@10"]
    earlier = put("bm25", values).record
    with_a, with_b = (
        put(q, values, leaks={"split": split_entry(Leaks({}, (q,)), VALUES)}).record for q in ("a", "b")
    )
    assert split_of(earlier) is None
    assert part_mean(earlier, "old", "nDCG@10") is None
    assert common_split([earlier]) is None
    assert common_split([earlier, with_a]) == DocumentSplit(4, "old", frozenset("a"))
    assert common_split([with_a, with_b]) is None, "the training queries changed"


def test_the_overlap_in_one_sentence() -> None:
    some = DocumentSplit(300, "new", frozenset(map(str, range(104))))
    assert some.sentence.startswith("196 of 300 test queries (65%) ask about old documents")
    assert "104 ask about new ones" in some.sentence
    assert DocumentSplit(5, "old", frozenset()).sentence.startswith("No test query asks about a document")
    assert DocumentSplit(5, "new", frozenset()).sentence.startswith("All 5 test queries ask about old documents")
