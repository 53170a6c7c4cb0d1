"""Per-query values that are not of their record give no interval; the row and the others stay on the board."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from harness import api
from harness.bench.agreement import contradiction
from harness.bench.store import Place, Store, StoredRecord
from harness.compare.regression import accept
from harness.report.notes import notes_of
from harness.runtime.context import Context

VALUES = {"q1": 0.5, "q2": 0.25}
CONTRADICTIONS: dict[str, tuple[dict[str, Any], str]] = {
    "another mean": ({"nDCG@10": {"q1": 0.9, "q2": 0.25}}, "a mean of 0.575000, the record has 0.375000"),
    "a negative value": ({"nDCG@10": {"q1": 1.0, "q2": -0.25}}, "-0.25 for query 'q2' is not a possible value"),
    "a value above 1": ({"nDCG@10": {"q1": 1.5, "q2": 0.0}}, "1.5 for query 'q1' is not a possible value"),
    "a huge value": ({"nDCG@10": {"q1": 1e300, "q2": -1e300}}, "1e+300 for query 'q1' is not a possible value"),
    "a missing query": ({"nDCG@10": {"q1": 0.375}}, "1 queries, the record has 2"),
    "an extra query": ({"nDCG@10": {**VALUES, "q3": 0.375}}, "3 queries, the record has 2"),
    "no query": ({"nDCG@10": {}}, "0 queries, the record has 2"),
    "a measure too many": ({"nDCG@10": VALUES, "AP": VALUES}, "AP is not in the record"),
    "no measure": ({}, "nDCG@10 is only in the record"),
}


@pytest.mark.parametrize("kind", CONTRADICTIONS)
def test_values_that_contradict_their_record_leave_the_row_without_an_interval(
    kind: str, put: Callable[..., StoredRecord], results: Store, context: Context
) -> None:
    values, told = CONTRADICTIONS[kind]
    for row in ("good", "sound"):
        put(row, VALUES)
    path = put("bad", VALUES).place.queries
    path.write_text(json.dumps(values))
    (table,), _, _ = api.write_leaderboard(results.root, context)
    assert {line.row: line.interval is not None for line in table.lines} == {"good": True, "sound": True, "bad": False}
    assert [line.value("nDCG@10") for line in table.lines] == [0.375] * 3
    (note,) = [note for note in notes_of(table) if note.startswith("`bad`: without an interval")]
    assert "bad/seed0.queries.json contradict their record" in note
    assert told in note
    assert note.endswith("run the row again.")


def test_measures_of_other_queries_contradict_each_other(put: Callable[..., StoredRecord]) -> None:
    record = put("row", VALUES, measures={"nDCG@10": 0.375, "AP": 0.375}).record
    values = {"nDCG@10": VALUES, "AP": {"q1": 0.5, "q3": 0.25}}
    assert contradiction(record, values) == "AP: other queries than the measures before it"


def test_counts_may_be_above_one_and_stored_values_are_rounded(put: Callable[..., StoredRecord]) -> None:
    record = put("row", VALUES, measures={"NumRet": 150.0, "AP": 1 / 3}).record
    assert contradiction(record, {"NumRet": {"q1": 100.0, "q2": 200.0}, "AP": {"q1": 0.333333, "q2": 0.333333}}) == ""


def test_a_row_with_values_that_contradict_it_is_made_again(put: Callable[..., StoredRecord], results: Store) -> None:
    stored = put("row", VALUES, run_sha256="e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    stored.place.run.write_bytes(b"")
    assert results.whole(stored.place, stored.record)
    stored.place.queries.write_text('{"nDCG@10": {"q1": 1.0, "q2": 0.25}}')
    assert not results.whole(stored.place, stored.record)


def test_accepting_a_record_mends_values_that_contradict_it(put: Callable[..., StoredRecord], results: Store) -> None:
    new = put("row", VALUES)
    new.place.run.write_bytes(b"run")
    place = Place(results.root / "kept" / "row" / "seed0.json")
    results.save(place, new.record, {"nDCG@10": {"q1": 1.0, "q2": 0.25}})
    record = accept(new, results, place, "mended")
    assert results.values(StoredRecord(record, place)) == {"nDCG@10": VALUES}
