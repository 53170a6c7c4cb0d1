"""A table for a spreadsheet goes out and comes back."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from harness.base.errors import DatasetError
from harness.collection.labels import Label
from harness.judging.table import HEAD, export, labels_in
from harness.judging.target import Target


def test_a_filled_table_gives_the_labels(target: Target, tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    export(target, [("q0", "d0"), ("q1", "d9")], path)
    with open(path, newline="") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == HEAD
    assert rows[0]["text"].startswith("text 0 about the part0")
    assert rows[1]["query"] == "what is part1"
    rows[1]["grade"] = "2.0"
    with open(path, "w", newline="", encoding="utf-8-sig") as file:
        writer = csv.DictWriter(file, HEAD, delimiter=";")
        writer.writeheader()
        writer.writerows(rows)
    assert labels_in(path, "ann") == [Label("q1", "d9", 2, "ann", "person")]


def test_a_text_is_no_formula(target: Target, tmp_path: Path) -> None:
    target.texts = {**target.texts, "q0": '=HYPERLINK("x")'}
    export(target, [("q0", "d0")], tmp_path / "t.csv")
    with open(tmp_path / "t.csv", newline="") as file:
        assert next(csv.DictReader(file))["query"] == '\'=HYPERLINK("x")'


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"query_id,grade\nq,1\n", "no column document_id"),
        (b"query_id,document_id,grade\nq,d,\nq,d,5\n", "line 3: grade '5' is not one of 0 to 3"),
        (b"query_id,document_id,grade\nq,d,caf\xe9\n", "save the table as CSV in UTF-8"),
    ],
)
def test_a_faulty_table_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "t.csv").write_bytes(content)
    with pytest.raises(DatasetError, match=message):
        labels_in(tmp_path / "t.csv", "ann")


def test_a_table_that_is_not_there_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"^there is no file .*none\.csv\.$"):
        labels_in(tmp_path / "none.csv", "ann")
