import dataclasses
import json
import math
from pathlib import Path

import pytest

from harness.base.errors import RecordError
from harness.bench.record import SCHEMA, Record

GOLDEN = sorted((Path(__file__).parent / "schema1").glob("*.json"))
"""Records as version 0.1 wrote them; they must be readable for as long as the schema is 1."""


def golden(name: str) -> dict:
    return json.loads((Path(__file__).parent / "schema1" / f"{name}.json").read_text(encoding="utf-8"))


def test_there_are_golden_records() -> None:
    assert [p.stem for p in GOLDEN] == ["bm25", "error", "hybrid-convex", "skipped"]


@pytest.mark.parametrize("path", GOLDEN, ids=lambda p: p.stem)
def test_a_record_of_schema_1_keeps_loading_and_loses_nothing_when_written_back(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    record = Record.from_json(text, str(path))
    assert record.schema == 1
    assert record.status in ("ok", "skipped", "error")
    assert json.loads(record.to_json()).items() >= json.loads(text).items()


def test_a_field_that_a_later_version_adds_with_a_default_may_be_missing_from_an_old_record() -> None:
    held = golden("bm25")
    for field in dataclasses.fields(Record):
        if field.name not in ("row", "method", "dataset", "schema"):
            assert Record.from_json(json.dumps({k: v for k, v in held.items() if k != field.name}), "x").row == "bm25"


def test_a_record_reads_back_equal() -> None:
    dataset = golden("bm25")["dataset"]
    record = Record("a|b <c> ö", "m", dataset, measures={"nDCG@10": 1 / 3}, notes=["日本"], latency={"p50_ms": 1.5})
    assert Record.from_json(record.to_json(), "x") == record
    assert record.schema == SCHEMA


def test_the_same_record_has_the_same_bytes_whatever_the_order_of_its_parts() -> None:
    one = Record("r", "m", {"a": 1, "b": 2}, measures={"x": 0.1, "y": 0.2})
    two = Record("r", "m", {"b": 2, "a": 1}, measures={"y": 0.2, "x": 0.1})
    assert one.to_json() == two.to_json()


def test_a_figure_that_is_not_a_number_is_never_written() -> None:
    with pytest.raises(ValueError, match="nan"):
        Record("r", "m", {}, measures={"nDCG@10": math.nan}).to_json()


@pytest.mark.parametrize("text", ["", "{", '{"schema": 1', "\x00"])
def test_text_that_is_not_json_is_a_record_error_that_names_the_file(text: str) -> None:
    with pytest.raises(RecordError, match=r"results/x\.json is not JSON .*delete it and run the row again"):
        Record.from_json(text, "results/x.json")


@pytest.mark.parametrize(
    ("text", "found"), [("[]", "None"), ("{}", "None"), ('{"schema": 2}', "2"), ('{"schema": "1"}', "'1'")]
)
def test_another_schema_is_a_record_error_that_says_which(text: str, found: str) -> None:
    with pytest.raises(RecordError, match=rf"x has record schema {found}, this version reads 1"):
        Record.from_json(text, "x")


@pytest.mark.parametrize(
    "changed",
    [
        {"row": None},
        {"dataset": "beir/scifact"},
        {"dataset": {}},
        {"dataset": {"name": "beir/scifact"}},
        {"measures": [0.5]},
        {"measures": {"nDCG@10": "0.5"}},
        {"measures": {"nDCG@10": None}},
        {"measures": {"nDCG@10": math.nan}},
        {"seed": "0"},
        {"latency": 1.5},
        {"notes": "one"},
        {"status": "fine"},
        {"unheard_of": 1},
    ],
    ids=str,
)
def test_a_record_that_was_mangled_by_hand_is_a_record_error_that_names_the_file(changed: dict) -> None:
    with pytest.raises(RecordError, match=r"results/x\.json is (not a complete record|not JSON)"):
        Record.from_json(json.dumps({**golden("bm25"), **changed}), "results/x.json")


@pytest.mark.parametrize("name", ["row", "method", "dataset"])
def test_a_record_without_what_it_is_of_is_a_record_error(name: str) -> None:
    with pytest.raises(RecordError, match=f"is not a complete record .*{name}"):
        Record.from_json(json.dumps({k: v for k, v in golden("bm25").items() if k != name}), "x")


def test_a_model_that_stands_in_two_parts_of_a_row_was_trained_once() -> None:
    one, other = {"seconds": 60.0, "preparation": 5.0, "recipe": "a"}, {"seconds": 7.0, "recipe": "b"}
    nested = {"methods": [{"training": [one]}, {"first": {"training": [dict(one)]}, "scorer": {"training": [other]}}]}
    record = Record("row", "row", {}, resolved=nested)
    assert record.trainings == [one, other]
    assert record.training_seconds == 72.0


def test_a_record_holds_no_key_of_the_environment_in_any_form(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENDPOINT_API_KEY", "sk-secret-1234567890")
    packed = "QmVhcmVyIHNrLXNlY3JldC0xMjM0NTY3ODkw"  # base64 of "Bearer " and the key
    problem = {"reason": f"sent sk-secret-1234567890 as {packed}"}
    record = dataclasses.replace(
        Record.from_json(json.dumps(golden("bm25")), "x"), problem=problem, notes=["sk-secret-1234567890"]
    )
    text = record.to_json()
    assert "secret" not in text
    assert "LXNlY3JldC" not in text
    assert json.loads(text)["notes"] == ["***"]
    monkeypatch.delenv("ENDPOINT_API_KEY")
    kept = record.to_json()
    monkeypatch.setenv("ENDPOINT_API_KEY", "sk-secret-1234567890")
    assert Record.from_json(kept, "x").notes == ["***"]  # written before keys were struck out


def test_a_key_that_is_a_word_changes_no_record(monkeypatch: pytest.MonkeyPatch) -> None:
    for word in ("bm25", "test", "example", "judgements"):
        monkeypatch.setenv("ENDPOINT_API_KEY", word)
        record = Record.from_json(json.dumps(golden("bm25")), "x")
        assert golden("bm25").items() <= dataclasses.asdict(record).items()
        assert golden("bm25").items() <= json.loads(record.to_json()).items()
