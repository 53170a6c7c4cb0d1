from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from harness.base.errors import RecordError
from harness.bench.corpus_parts import CorpusPart
from harness.bench.row_job import RowRequest, RowResult
from harness.bench.runner import Bench
from harness.bench.store import Store, StoredRecord
from harness.data.dataset import Dataset
from harness.executors import Job, Outcome
from harness.rows import parse_method
from harness.runtime.context import Context


@pytest.fixture
def request_of(small: Dataset, small_folder: Path, context: Context) -> RowRequest:
    board = list(map(parse_method, ("bm25", "bm25(k1=2)")))
    warned = {("b", "2"), ("a", "1")}
    return RowRequest.of(str(small_folder), small, board[0], context, ["nDCG@10"], 50, board, warned)


def test_a_request_is_read_back_as_it_was_written(request_of: RowRequest) -> None:
    part = CorpusPart(0, 60, (3, 4), queries=True)
    for request in (request_of, dataclasses.replace(request_of, part=part)):
        packed = json.loads(json.dumps(request.to_json(), allow_nan=False))
        assert RowRequest.from_json(packed) == request
    assert request_of.warned == (("a", "1"), ("b", "2"))
    assert request_of.parsed() == parse_method("bm25")
    assert request_of.rows() == list(map(parse_method, ("bm25", "bm25(k1=2)")))


def test_a_digest_differs_with_every_part_of_a_request(request_of: RowRequest) -> None:
    changes = {"seed": 1, "depth": 9, "code": "0", "identity": "0", "repetition": "1", "part": CorpusPart(0, 1)}
    changed = [dataclasses.replace(request_of, **{name: value}) for name, value in changes.items()]
    assert len({request.digest() for request in (request_of, *changed)}) == 1 + len(changes)


def test_the_same_worker_would_do_the_same(request_of: RowRequest, context: Context, small: Dataset) -> None:
    assert request_of.identity
    assert request_of.load(Context(cache=context.cache)).revision == small.revision


def test_a_row_that_the_requesting_machine_cannot_identify_is_not_compared(
    small: Dataset, small_folder: Path, context: Context
) -> None:
    absent = parse_method('dense(model="no/such-model")')
    request = RowRequest.of(str(small_folder), small, absent, context, ["nDCG@10"], 50)
    assert request.identity == ""
    assert request.load(context).revision == small.revision


def test_a_context_of_the_seed_is_used_as_it_is(request_of: RowRequest, context: Context) -> None:
    assert request_of.seeded(context) is context
    other = dataclasses.replace(request_of, seed=7).seeded(context)
    assert (other.seed, other.cache) == (7, context.cache)
    assert other.ledger is not context.ledger


def test_a_result_carries_the_record_and_its_files(small_folder: Path, context: Context, tmp_path: Path) -> None:
    method, there = parse_method("bm25"), Store(tmp_path / "there")
    record = Bench([method], [str(small_folder)], context, there, ["nDCG@10"]).run(str(small_folder), method).record
    place = there.place(record.dataset["name"], method, 0)
    value = json.loads(json.dumps(RowResult.stored(record, there, place).to_json()))
    result = RowResult.of(Outcome(Job("a", "m:f"), value))
    assert (result.record, result.problem) == (record, None)
    here = Store(tmp_path / "here")
    own = here.place(record.dataset["name"], method, 0)
    here.unpack(own, result.files, result.record)
    assert own.run.read_bytes() == place.run.read_bytes()
    assert here.values(StoredRecord(record, own)) == there.values(StoredRecord(record, place))


def test_a_result_without_scores_says_why(small_folder: Path, context: Context, tmp_path: Path) -> None:
    absent, store = parse_method('dense(model="no/such-model")'), Store(tmp_path)
    record = Bench([absent], [str(small_folder)], context, store, ["nDCG@10"]).run(str(small_folder), absent).record
    value = RowResult(record, {}).to_json()
    assert value["final"] is False
    assert "cannot be reached" in (RowResult.of(Outcome(Job("a", "m:f"), value)).problem or "")
    with pytest.raises(RecordError, match="job a is no"):
        RowResult.of(Outcome(Job("job a", "m:f"), {"record": '{"schema": 1}', "files": {}}))
