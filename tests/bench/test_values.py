"""Per-query values are read once while their file and record are unchanged."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest

from harness.base.errors import RecordError
from harness.bench import values
from harness.bench.store import StoredRecord
from harness.bench.values import read_values


@pytest.fixture
def stored(put: Callable[..., StoredRecord], monkeypatch: pytest.MonkeyPatch) -> StoredRecord:
    monkeypatch.setattr(values, "_recent", values._Recent())
    return put("a", {"q1": 0.5, "q2": 0.25})


def test_an_unchanged_file_is_read_once(stored: StoredRecord, monkeypatch: pytest.MonkeyPatch) -> None:
    first = read_values(stored.place.queries, stored.record)
    assert first == {"nDCG@10": {"q1": 0.5, "q2": 0.25}}
    monkeypatch.setattr(values, "read_regular", lambda _: pytest.fail("read again"))
    assert read_values(stored.place.queries, dataclasses.replace(stored.record)) is first


def test_a_changed_file_and_another_record_are_checked_again(stored: StoredRecord) -> None:
    path = stored.place.queries
    read_values(path, stored.record)
    other = dataclasses.replace(stored.record, measures={"nDCG@10": 0.9})
    with pytest.raises(RecordError, match="contradict their record"):
        read_values(path, other)
    path.write_text(path.read_text().replace("0.25", "0.35"))
    with pytest.raises(RecordError, match="contradict their record"):
        read_values(path, stored.record)
    path.unlink()
    with pytest.raises(RecordError, match="cannot be read"):
        read_values(path, stored.record)


def test_values_that_were_not_used_for_longest_are_dropped(
    stored: StoredRecord, put: Callable[..., StoredRecord], monkeypatch: pytest.MonkeyPatch
) -> None:
    others = [put(name, {"q1": 0.5, "q2": 0.25}) for name in "bc"]
    size = stored.place.queries.stat().st_size
    monkeypatch.setattr(values, "MOST_BYTES", 2 * size)
    first = read_values(stored.place.queries, stored.record)
    second = read_values(others[0].place.queries, others[0].record)
    assert read_values(stored.place.queries, stored.record) is first
    read_values(others[1].place.queries, others[1].record)
    assert read_values(stored.place.queries, stored.record) is first
    assert read_values(others[0].place.queries, others[0].record) is not second
