"""Documents and queries of a BEIR collection: one JSON object per line, `{"_id": …, "title": …, "text": …}`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from harness.base.memory import Memory, size
from harness.data.documents import Document
from harness.data.ids import Trim
from harness.data.lines import LONGEST, Fault, OnFault, lines, refuse

DOCUMENT = '{"_id": "…", "title": "…", "text": "…"}'
KEYS = ("_id", "title", "text")
_QUOTED = tuple(f'"{key}"' for key in KEYS)
QUERY = '{"_id": "…", "text": "…"}'
COPIES = 16
"""A document's line may take 1/16 of the memory: the line, its text, the parsed record and its batch exist at once."""


def read_documents(
    path: Path,
    report: OnFault = refuse,
    advance: Callable[[int], None] | None = None,
    memory: Memory | None = None,
    trim: Trim | None = None,
) -> Iterator[tuple[int, Document]]:
    """The documents of `corpus.jsonl[.gz]` with their line numbers, read one after the other.

    A missing or null title and a null text are the empty string; an id that is an integer becomes its digits.

    Args:
        path: the file.
        report: called with each malformed line, which is then skipped.
        advance: called with the number of bytes read.
        memory: of the run, which bounds the longest line; None takes `LONGEST`.
        trim: the rule for ids (`harness.data.ids`), which counts what it changes.

    Raises:
        DatasetError: with the default `report`, at the first malformed line.
    """
    trim = trim or Trim()
    longest = LONGEST if memory is None else memory.total // COPIES
    for number, record in _records(path, DOCUMENT, report, advance, longest):
        parts = _id(record, trim), _text(record, "title", required=False), _text(record, "text", required=True)
        if faults := [p for p in parts if isinstance(p, _Wrong)]:
            for fault in faults:
                report(Fault(fault.code, path, number, f"{fault.message} A line is {DOCUMENT}."))
            continue
        yield number, Document(*(str(p) for p in parts))


def read_queries(path: Path, report: OnFault = refuse, trim: Trim | None = None) -> Iterator[tuple[int, str, str]]:
    """Line number, id and text of each query of `queries.jsonl[.gz]`.

    Args:
        path: the file.
        report: called with each malformed line and each repeated id; that line is then skipped.
        trim: the rule for ids, which counts what it changes.

    Raises:
        DatasetError: with the default `report`, at the first malformed line or repeated id.
    """
    trim = trim or Trim()
    first: dict[str, int] = {}
    for number, record in _records(path, QUERY, report):
        parts = _id(record, trim), _text(record, "text", required=True)
        if faults := [p for p in parts if isinstance(p, _Wrong)]:
            for fault in faults:
                report(Fault(fault.code, path, number, f"{fault.message} A line is {QUERY}."))
            continue
        query, text = (str(p) for p in parts)
        if query in first:
            message = f"query id {query!r} is also on line {first[query]}; ids must be unique: rename or delete one."
            report(Fault("duplicate-query-id", path, number, message))
            continue
        first[query] = number
        yield number, query, text


class _Wrong:
    """A field that cannot be used."""

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        self.message = message


def _records(
    path: Path, shape: str, report: OnFault, advance: Callable[[int], None] | None = None, longest: int = LONGEST
) -> Iterator[tuple[int, dict[str, Any]]]:
    remedy = "is there one record on each line?"
    if longest != LONGEST:
        remedy += (
            f" If it is one document: a line may take 1/{COPIES} of --memory ({size(COPIES * longest)} now); raise it."
        )
    for number, line in lines(path, report, advance, longest, remedy):
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as error:
            detail = f"{error.msg} at column {error.colno}" if isinstance(error, json.JSONDecodeError) else str(error)
            report(Fault("json", path, number, f"not JSON ({detail}). A line is {shape}."))
            continue
        if not isinstance(record, dict):
            report(Fault("json", path, number, f"not a JSON object but {_kind(record)}. A line is {shape}."))
            continue
        if key := _twice(line, record):
            message = f'"{key}" occurs twice in the line; delete one. A line is {shape}.'
            report(Fault("duplicate-key", path, number, message))
            continue
        yield number, record


def _twice(line: str, record: dict[str, Any]) -> str:
    """The one of `KEYS` that occurs more than once in the object of a line; empty if none does.

    If all values are texts without a quote, the line has four quotes for each key, and more if a key occurs twice. Of
    the other lines, few contain the text of a key twice: only those are parsed again.
    """
    if line.count('"') == 4 * len(record) and all(type(value) is str for value in record.values()):
        return ""
    if all(line.count(quoted) < 2 for quoted in _QUOTED):
        return ""
    objects: list[list[tuple[str, Any]]] = []
    json.loads(line, object_pairs_hook=objects.append)
    keys = [key for key, _ in objects[-1]]  # the outermost is closed last
    return next((key for key in KEYS if keys.count(key) > 1), "")


def _id(record: dict[str, Any], trim: Trim) -> str | _Wrong:
    if "_id" not in record:
        like = next((k for k in ("id", "docid", "doc_id", "query_id", "qid") if k in record), None)
        return _Wrong("missing-id", 'no "_id"' + (f'; rename {like!r} to "_id".' if like else "."))
    value = record["_id"]
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        return _Wrong("bad-id", f'"_id" is {_kind(value)}; write it as a string.')
    if not (bare := trim(value)):
        return _Wrong("bad-id", '"_id" is empty; give the line a unique id.')
    if "\0" in bare:
        return _Wrong("bad-id", '"_id" contains a NUL character, at which trec_eval would cut it off; change the id.')
    return _whole(bare, "_id")


def _text(record: dict[str, Any], name: str, *, required: bool) -> str | _Wrong:
    if required and name not in record:
        like = next((k for k in ("contents", "content", "body", "abstract", "query", "question") if k in record), None)
        return _Wrong("missing-text", f'no "{name}"' + (f'; rename {like!r} to "{name}".' if like else "."))
    value = record.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        return _Wrong("bad-text", f'"{name}" is {_kind(value)}; write it as a string.')
    return _whole(value, name)


def _whole(value: str, name: str) -> str | _Wrong:
    if not value.isascii():
        try:
            value.encode("utf-8")
        except UnicodeEncodeError as error:
            escape = f"\\u{ord(value[error.start]):04x}"
            message = f'"{name}" contains a lone surrogate ({escape}), which is not text; write the character itself.'
            return _Wrong("surrogate", message)
    return value


def _kind(value: object) -> str:
    """What JSON calls a value."""
    kinds = {
        bool: "a boolean",
        int: "a number",
        float: "a number",
        str: "a string",
        list: "an array",
        dict: "an object",
    }
    return "null" if value is None else kinds[type(value)]
