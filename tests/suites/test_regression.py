"""`pytest suites/ --benchmark --against results/`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def gate(suites: Any, *options: str) -> Any:
    return suites("--benchmark", "--dataset", "./small", "--method", "bm25", *options, file="test_regression.py")


def test_without_against_it_is_skipped(suites: Any, small_folder: Path) -> None:
    assert gate(suites).counts() == {"skipped": 1}


def test_the_same_figures_are_unchanged_and_the_stored_records_untouched(
    suites: Any, harness_command: Any, small_folder: Path, tmp_path: Path
) -> None:
    harness_command("run", "-d", "./small", "-m", "bm25", "-q")
    before = {p: p.read_bytes() for p in (tmp_path / "results").rglob("*") if p.is_file()}
    outcome = gate(suites, "--against", "results")
    assert outcome.counts() == {"passed": 1}
    assert "bm25: unchanged: nDCG@10" in outcome.out
    assert {p: p.read_bytes() for p in before} == before
    assert list((tmp_path / "results.new").glob("*/bm25/seed0.json"))


def test_figures_worse_beyond_chance_fail_until_they_are_accepted(
    suites: Any, harness_command: Any, small_folder: Path, tmp_path: Path
) -> None:
    harness_command("run", "-d", "./small", "-m", "bm25", "-q")
    (values,) = (tmp_path / "results").glob("*/bm25/seed0.queries.json")
    held = json.loads(values.read_text())
    values.write_text(json.dumps({m: dict.fromkeys(by_query, 1.0) for m, by_query in held.items()}))
    (record,) = (tmp_path / "results").glob("*/bm25/seed0.json")
    record.write_text(json.dumps({**json.loads(record.read_text()), "measures": dict.fromkeys(held, 1.0)}))
    outcome = gate(suites, "--against", "results")
    assert outcome.counts() == {"failed": 1}
    assert "bm25: worse: nDCG@10 1.0000 stored" in outcome.out
    assert "nothing that is recorded has changed" in outcome.out
    said = harness_command("accept", "bm25", "-d", "./small", "--why", "the stored values were made up")
    assert said.status == 0, said.err
    assert json.loads(record.read_text())["accepted"][0]["why"] == "the stored values were made up"
    assert gate(suites, "--against", "results").counts() == {"passed": 1}


def test_a_row_without_a_stored_record_is_skipped(
    suites: Any, harness_command: Any, small_folder: Path, tmp_path: Path
) -> None:
    harness_command("run", "-d", "./small", "-m", "bm25(b=0)", "-q")
    outcome = gate(suites, "--against", "results", "-rs")
    assert outcome.counts() == {"skipped": 1}
    assert "has no scores in results" in outcome.out


def test_bad_folders_are_told(suites: Any, harness_command: Any, small_folder: Path, tmp_path: Path) -> None:
    assert (
        "there is no such folder" in gate(suites, "--against", "nowhere").err + gate(suites, "--against", "nowhere").out
    )
    harness_command("run", "-d", "./small", "-m", "bm25(b=0)", "-q")
    outcome = gate(suites, "--against", "results", "--results", "results")
    assert "name one folder" in outcome.err + outcome.out
    said = harness_command("accept", "bm25", "-d", "./small", "--why", "x")
    assert said.status == 2
    assert "results.new has no record of bm25" in said.err


def test_what_cannot_be_looked_at_does_not_pass(
    suites: Any, harness_command: Any, small_folder: Path, tmp_path: Path
) -> None:
    harness_command("run", "-d", "./small", "-m", "bm25", "-q")
    (record,) = (tmp_path / "results").glob("*/bm25/seed0.json")
    whole = record.read_text()
    record.write_text(whole[:100])
    outcome = gate(suites, "--against", "results")
    assert outcome.counts() == {"failed": 1}
    assert "is not JSON" in outcome.out
    record.write_text(whole)
    outcome = suites(
        "--benchmark",
        "--dataset",
        "./small",
        "--method",
        "run/nowhere",
        "--against",
        "results",
        file="test_regression.py",
    )
    assert outcome.counts() == {"failed": 1}
    assert "there is no run file nowhere" in outcome.out
    (tmp_path / "empty").mkdir()
    outcome = gate(suites, "--against", "empty")
    assert outcome.status == 4
    assert "it has no records" in outcome.err + outcome.out
