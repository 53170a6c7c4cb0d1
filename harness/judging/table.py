"""Pairs to judge as a CSV table for a spreadsheet, and the filled table as labels."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from harness.base.errors import DatasetError
from harness.base.files import read_text, write_text
from harness.collection.labels import Label
from harness.judges import HIGHEST, MEANING
from harness.judging.due import Pair
from harness.judging.target import Target

HEAD = ("query_id", "document_id", "grade", "query", "title", "text")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def export(target: Target, pairs: Sequence[Pair], path: Path) -> None:
    """Writes pairs with their texts and an empty column `grade`."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)
    writer.writerow(HEAD)
    for query, name in pairs:
        document = target.document(name)
        texts = (target.texts[query], document.title, document.text)
        writer.writerow([query, name, "", *map(_inert, texts)])
    write_text(path, buffer.getvalue())


def labels_in(path: Path, person: str) -> list[Label]:
    """The labels of a filled table; lines without a grade are left out.

    Args:
        path: the table, with at least the columns query_id, document_id and grade.
        person: who filled it.

    Raises:
        DatasetError: a column is missing, or a grade is none of 0 to 3; names the line.
    """
    if not os.path.lexists(path):
        raise DatasetError(f"there is no file {path}.")
    try:
        text = read_text(path)
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(f"{path} cannot be read: {error}; save the table as CSV in UTF-8.") from error
    sign = max(",;\t", key=text.partition("\n")[0].count)  # spreadsheets of some countries write semicolons
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=sign)
    missing = [name for name in HEAD[:3] if name not in (reader.fieldnames or ())]
    if missing:
        raise DatasetError(f"{path} has no column {' and no column '.join(missing)}; export the table again.")
    return list(_labels(reader, path, person))


def _labels(reader: csv.DictReader[str], path: Path, person: str) -> Iterable[Label]:
    for row in reader:
        grade = (row["grade"] or "").strip().removesuffix(".0")
        if not grade:
            continue
        if grade not in map(str, range(HIGHEST + 1)):
            meaning = "; ".join(f"{number}: {words}" for number, words in enumerate(MEANING))
            raise DatasetError(f"{path}, line {reader.line_num}: grade {grade!r} is not one of 0 to 3 ({meaning}).")
        yield Label(row["query_id"], row["document_id"], int(grade), person, "person")


def _inert(text: str) -> str:
    """A text that a spreadsheet does not take for a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text
