"""`harness claims`: verdicts in the terminal and as a page."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

FILE = """
[[claim]]
id = "first"
paper = "a paper"
says = "BM25 is better than nothing."
plus = ["bm25"]
minus = ["bm25(k1=0.1)"]
differs = "Nothing."
collections = ["d/e/test"]
"""


def test_claims_are_printed_and_written(harness_command: Any, tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text(FILE)
    said = harness_command("claims", "--results", "results", "--file", "own.toml", "--out", "claims.md")
    assert said.status == 0
    assert "first  not run" in said.out
    assert "1 claims: 0 reproduced, 0 opposite, 0 too small to tell, 1 not run." in said.out
    text = (tmp_path / "claims.md").read_text(encoding="utf-8")
    assert "harness run --dataset d/e/test --method bm25 --method 'bm25(k1=0.1)'" in text


def test_verdicts_for_other_programs(harness_command: Any, tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text(FILE)
    claims = ("claims", "--results", "results", "--file", "own.toml", "--out", "claims.md", "--format")
    said = harness_command(*claims, "json")
    assert said.status == 0
    assert "wrote claims.md" in said.err
    (row,) = json.loads(said.out)["tables"][0]["rows"]
    assert row["verdict"] == "not run"
    assert row["difference"] is None
    assert row["command"] == "harness run --dataset d/e/test --method bm25 --method 'bm25(k1=0.1)'"
    (line,) = csv.DictReader(io.StringIO(harness_command(*claims, "csv").out))
    assert line["claim"] == "first"
    assert line["contrast"] == "`bm25` − `bm25(k1=0.1)`"
    assert "| `first` | not run" in harness_command(*claims, "md").out


def test_a_wrong_file_is_bad_input(harness_command: Any, tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text(FILE.replace("plus", "pluss"))
    said = harness_command("claims", "--file", "own.toml")
    assert said.status == 2
    assert "own.toml cannot be read" in said.err
