"""Rows of a table as documents: CSV, Parquet and JSON lines, with the columns of id, title and text found or named."""

from __future__ import annotations

import csv
import io
import itertools
import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.base.errors import DatasetError, SettingError
from harness.base.files import encoding_of
from harness.data.lines import lines

IDS = ("_id", "id", "doc_id", "docid", "document_id", "uid", "key", "slug")
TITLES = ("title", "name", "headline", "subject", "heading")
TEXTS = ("text", "content", "contents", "body", "passage", "document", "abstract", "description", "answer")
SEEN = 200
"""Rows that are read to find the column of the text."""
Row = Mapping[str, object]


@dataclass(frozen=True)
class Columns:
    """The columns of a table.

    Args:
        id: None numbers the rows.
        title: None for none.
        text: None to find it.
    """

    id: str | None = None
    title: str | None = None
    text: str | None = None


FOUND = Columns()


def rows_of(path: Path) -> Iterator[Row]:
    """The rows of a table: column → cell.

    Raises:
        DatasetError: it cannot be read; names the file and the line where there is one.
    """
    if not os.path.lexists(path):
        raise DatasetError(f"there is no file {path}.")
    try:
        yield from {".csv": _csv, ".tsv": _csv, ".parquet": _parquet}.get(path.suffix.lower(), _json)(path)
    except (csv.Error, OSError, UnicodeError, ValueError) as error:
        raise DatasetError(f"{path} cannot be read as a table: {error}. Is it what its ending says?") from error


def found(columns: Columns, rows: Sequence[Row], path: Path) -> Columns:
    """The columns that are used: the named ones, else those with a usual name; the text else is the longest column.

    Args:
        columns: named by the user.
        rows: the first rows.
        path: for messages.

    Raises:
        SettingError: a named column does not exist; lists those that do.
        DatasetError: no column has text.
    """
    names = list(dict.fromkeys(name for row in rows for name in row))
    for role, name in (("id", columns.id), ("title", columns.title), ("text", columns.text)):
        if name is not None and name not in names:
            raise SettingError(f"{path} has no column {name!r} for the {role}; it has {', '.join(names)}.")
    text = columns.text or _usual(TEXTS, names) or _longest(names, rows)
    if text is None:
        raise DatasetError(f"{path} has no column with text ({', '.join(names) or 'no column'}); name one.")
    others = [name for name in names if name != text]
    return Columns(columns.id or _usual(IDS, others), columns.title or _usual(TITLES, others), text)


def cell(row: Row, column: str | None) -> str:
    """A cell as text; empty where there is none."""
    value = None if column is None else row.get(column)
    return "" if value is None else str(value).strip()


def peeked(rows: Iterable[Row]) -> tuple[list[Row], Iterator[Row]]:
    """The first rows, and an iterator over all of them."""
    rows = iter(rows)
    first = list(itertools.islice(rows, SEEN))
    return first, itertools.chain(first, rows)


def _usual(usual: Sequence[str], names: Sequence[str]) -> str | None:
    by_plain = {name.strip().lower().replace(" ", "_").replace("-", "_"): name for name in reversed(names)}
    return next((by_plain[name] for name in usual if name in by_plain), None)


def _longest(names: Sequence[str], rows: Sequence[Row]) -> str | None:
    """The column with the longest cells, if they have several words."""
    size = {name: sum(len(cell(row, name)) for row in rows) for name in names}
    spaces = {name: sum(" " in cell(row, name) for row in rows) for name in names}
    texts = [name for name in names if spaces[name] * 2 >= len(rows)]
    return max(texts, key=lambda name: size[name], default=None)


def _csv(path: Path) -> Iterator[Row]:
    with open(path, "rb") as raw:
        encoding, mark = encoding_of(raw.read(4))
        raw.seek(mark)
        file = io.TextIOWrapper(raw, encoding=encoding, newline="")
        sample = file.read(1 << 16)
        file.seek(mark)
        dialect: type[csv.Dialect] = csv.excel_tab if path.suffix.lower() == ".tsv" else csv.excel
        if path.suffix.lower() == ".csv":
            try:
                dialect = csv.Sniffer().sniff(sample.partition("\n")[0], ",;\t|")
            except csv.Error:  # one column
                dialect = csv.excel
        csv.field_size_limit(sys.maxsize)
        reader = csv.DictReader(file, delimiter=dialect.delimiter)
        for row in reader:
            yield {str(name): value for name, value in row.items() if name is not None}


def _parquet(path: Path) -> Iterator[Row]:
    import pyarrow.parquet as pq  # slow to import, and only this format needs it

    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(batch_size=1024):
            yield from batch.to_pylist()


def _json(path: Path) -> Iterator[Row]:
    for number, line in lines(path):
        row = json.loads(line)
        if not isinstance(row, dict):
            raise DatasetError(f"{path}, line {number}: not a JSON object; a line is one document.")
        yield row
