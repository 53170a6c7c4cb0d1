"""The first documents of each query of a stored run."""

from __future__ import annotations

import dataclasses
import gzip
from collections.abc import Callable

import pytest

from harness.base.files import sha256
from harness.bench.store import StoredRecord
from harness.report.top_lists import made_from_run, top_lists
from harness.runtime.context import Context

LINES = "".join(f"{q} Q0 d{q}{rank} {rank} {1 / rank} tag\n" for q in ("q1", "é2") for rank in range(1, 101))


@pytest.fixture
def stored(put: Callable[..., StoredRecord]) -> StoredRecord:
    one = put("bm25", {"q1": 0.5, "é2": 0.5})
    one.place.run.write_bytes(gzip.compress(LINES.encode(), mtime=0))
    return dataclasses.replace(one, record=dataclasses.replace(one.record, run_sha256=sha256(one.place.run)))


def test_each_query_has_its_ten_best_in_their_order(stored: StoredRecord, context: Context) -> None:
    found = top_lists(stored, context.cache)
    assert found == {q: [f"d{q}{rank}" for rank in range(1, 11)] for q in ("q1", "é2")}


def test_a_second_look_reads_what_was_kept(
    stored: StoredRecord, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness.report.top_lists.SMALL", 0)
    monkeypatch.setattr("harness.report.top_lists.MOST_BYTES", 0)
    first = top_lists(stored, context.cache)
    monkeypatch.setattr("harness.report.top_lists.gzip.decompress", lambda _: pytest.fail("read again"))
    assert top_lists(stored, context.cache) == first


def test_a_run_that_is_not_the_records_or_not_there_gives_nothing(stored: StoredRecord, context: Context) -> None:
    stored.place.run.write_bytes(gzip.compress(b"q1 Q0 other 1 1.0 tag\n", mtime=0))
    assert top_lists(stored, context.cache) is None
    stored.place.run.unlink()
    assert top_lists(stored, context.cache) is None


def test_they_are_stored_next_to_the_record_and_serve_where_the_run_is_not(
    stored: StoredRecord, context: Context
) -> None:
    first = top_lists(stored, context.cache)
    assert made_from_run(stored.place.tops)
    assert not made_from_run(stored.place.run)
    written = stored.place.tops.read_bytes()
    stored.place.run.unlink()
    assert top_lists(stored, context.cache) == first
    assert not made_from_run(stored.place.tops)
    stored.place.tops.write_bytes(written[:-9])
    assert top_lists(stored, context.cache) is None
    stored.place.tops.write_bytes(gzip.compress(b'{"run_sha256": 1, "tops": []}'))
    assert top_lists(stored, context.cache) is None
    stored.place.tops.write_bytes(written)
    another = dataclasses.replace(stored, record=dataclasses.replace(stored.record, run_sha256="0" * 64))
    assert top_lists(another, context.cache) is None


def test_what_is_too_large_is_not_stored(
    stored: StoredRecord, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness.report.top_lists.MOST_BYTES", 10)
    assert top_lists(stored, context.cache)
    assert not stored.place.tops.exists()


def test_a_damaged_run_gives_nothing(stored: StoredRecord, context: Context) -> None:
    stored.place.run.write_bytes(b"no gzip")
    damaged = dataclasses.replace(
        stored, record=dataclasses.replace(stored.record, run_sha256=sha256(stored.place.run))
    )
    assert top_lists(damaged, context.cache) is None


def test_the_lines_of_a_query_may_be_apart(stored: StoredRecord, context: Context) -> None:
    lines = ["q1 Q0 first 1 0.9 tag\n", "é2 Q0 other 1 0.8 tag\n", "q1 Q0 sécond 2 0.7 tag\n"]
    stored.place.run.write_bytes(gzip.compress("".join(lines).encode(), mtime=0))
    apart = dataclasses.replace(stored, record=dataclasses.replace(stored.record, run_sha256=sha256(stored.place.run)))
    assert top_lists(apart, context.cache) == {"q1": ["first", "sécond"], "é2": ["other"]}


def test_a_run_that_is_not_utf_8_gives_nothing(stored: StoredRecord, context: Context) -> None:
    stored.place.run.write_bytes(gzip.compress(b"q1 Q0 d\xe9 1 0.9 tag\n", mtime=0))
    damaged = dataclasses.replace(
        stored, record=dataclasses.replace(stored.record, run_sha256=sha256(stored.place.run))
    )
    assert top_lists(damaged, context.cache) is None
