"""Tables: columns found by their names or by their texts, or named; every format gives the same rows."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from harness.base.errors import DatasetError, SettingError
from harness.collection.tables import Columns, cell, found, rows_of

ROWS = [{"Doc ID": f"00{i}", "Name": f"n{i}", "notes": f'a "long" note\nabout thing {i}'} for i in range(3)]


def write(folder: Path, ending: str) -> Path:
    path = folder / f"t{ending}"
    if ending == ".parquet":
        pq.write_table(pa.Table.from_pylist(ROWS), path)
    elif ending == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in ROWS), encoding="utf-8")
    else:
        sign = "\t" if ending == ".tsv" else ";"
        quoted = [[v.replace('"', '""') for v in row.values()] for row in ROWS]
        lines = [sign.join(ROWS[0]), *(sign.join(f'"{v}"' for v in row) for row in quoted)]
        path.write_bytes(b"\xef\xbb\xbf" + "\r\n".join(lines).encode())
    return path


@pytest.mark.parametrize("ending", [".csv", ".tsv", ".parquet", ".jsonl"])
def test_every_format_gives_the_same_rows(tmp_path: Path, ending: str) -> None:
    rows = list(rows_of(write(tmp_path, ending)))
    assert [{name: value.replace("\r\n", "\n") for name, value in row.items()} for row in rows] == ROWS
    assert found(Columns(), rows, tmp_path) == Columns("Doc ID", "Name", "notes")


def test_named_columns_are_used_and_must_exist(tmp_path: Path) -> None:
    assert found(Columns(text="Name"), ROWS, tmp_path) == Columns("Doc ID", None, "Name")
    with pytest.raises(SettingError, match="no column 'body' for the text; it has Doc ID, Name, notes"):
        found(Columns(text="body"), ROWS, tmp_path)


def test_a_table_without_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no column with text"):
        found(Columns(), [{"a": 1, "b": "x"}], tmp_path)


def test_a_file_that_is_not_what_its_ending_says(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    path.write_text("not parquet")
    with pytest.raises(DatasetError, match=r"x\.parquet cannot be read as a table"):
        list(rows_of(path))
    path = tmp_path / "x.jsonl"
    path.write_text('{"a": 1}\n[2]\n')
    with pytest.raises(DatasetError, match="line 2: not a JSON object"):
        list(rows_of(path))


def test_cells_are_text() -> None:
    assert [cell({"a": 1, "b": None}, name) for name in ("a", "b", "c", None)] == ["1", "", "", ""]
