"""The first ten documents of each query of a stored run, without parsing the others.

They are stored next to the record, if they are small, so that a page made where the run is not (it is large, and
left out of version control) has the rankings too.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import json
import re
import zlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypedDict

from harness.base.files import replacing, write_text
from harness.base.json_files import decode_json, read_regular
from harness.bench.store import StoredRecord
from harness.cache.code import code_of
from harness.cache.folders import Cache


class Tops(TypedDict):
    """What is stored of a run."""

    run_sha256: str
    tops: dict[str, list[str]]


TopLists = Mapping[str, Sequence[str]]
"""Query id → document ids, best first."""
SMALL = 1 << 18
"""Bytes of a run up to which it is read again each time: that is as fast as a memo of it."""
MOST_BYTES = 1 << 18
"""Of what is stored next to a record: some 5,000 queries."""
MOST_TEXT = 1 << 24
"""Of the same, unpacked: a file of another's may be made to grow without end."""
_FIRST = re.compile(r"^(\S+) Q0 (\S+) (?:[1-9]|10) ", re.MULTILINE | re.ASCII)


def top_lists(stored: StoredRecord, cache: Cache) -> TopLists | None:
    """The ten best of each query; None if neither the record's run nor what was stored of it is there."""
    path, sha256 = stored.place.run, stored.record.run_sha256
    if not sha256:
        return None
    tops = _read(stored.place.tops, sha256)
    if tops is None and (tops := _of_run(path, sha256, cache)) is not None:
        with contextlib.suppress(OSError):  # a read-only folder costs time, not correctness
            _write(stored.place.tops, sha256, tops)
    return tops


def made_from_run(path: Path) -> bool:
    """Whether a file is the stored beginning of a run that is next to it, and so says nothing more than the run."""
    return path.name.endswith(".tops.gz") and path.with_name(path.name.replace(".tops.gz", ".run.gz")).is_file()


def _read(path: Path, sha256: str) -> TopLists | None:
    """What is stored of the run with that hash; None if it is of another one, or damaged."""
    try:
        if not path.is_file() or path.stat().st_size > MOST_BYTES:
            return None
        with gzip.open(path) as file:
            text = file.read(MOST_TEXT + 1)
        held = decode_json(text, Tops) if len(text) <= MOST_TEXT else None
    except (OSError, EOFError, zlib.error, ValueError):
        return None
    return held["tops"] if held and held["run_sha256"] == sha256 else None


def _write(path: Path, sha256: str, tops: TopLists) -> None:
    """Stores them if they are small; the same bytes for the same run."""
    text = json.dumps({"run_sha256": sha256, "tops": tops}, ensure_ascii=False, separators=(",", ":"))
    content = gzip.compress(text.encode(), mtime=0)
    if len(content) <= MOST_BYTES and len(text.encode()) <= MOST_TEXT:
        with replacing(path) as part:
            part.write_bytes(content)


def _of_run(path: Path, sha256: str, cache: Cache) -> dict[str, list[str]] | None:
    """From the run; cached by its content, if it is large."""
    try:
        if not path.is_file():
            return None
        if path.stat().st_size <= SMALL:
            run = path.read_bytes()
            return _first_ten(run) if hashlib.sha256(run).hexdigest() == sha256 else None
        if cache.hashes.sha256(path) != sha256:
            return None
    except OSError:
        return None

    code = code_of(__name__, without=(StoredRecord.__module__,))
    key = hashlib.sha256(f"{code} {sha256}".encode()).hexdigest()[:32]
    memo = cache.root / "top_lists" / f"{key}.json"  # small, as the memo of hashes is, and not an entry of the cache
    with contextlib.suppress(OSError, ValueError):
        return decode_json(read_regular(memo), dict[str, list[str]])
    try:
        tops = _first_ten(path.read_bytes())
    except OSError:
        return None
    if tops is not None:
        with contextlib.suppress(OSError):  # a read-only cache costs time, not correctness
            write_text(memo, json.dumps(tops, ensure_ascii=False), durable=False)
    return tops


def _first_ten(run: bytes) -> dict[str, list[str]] | None:
    """Query id → its documents of rank 1 to 10, in the order of the run's lines; None if the file is damaged."""
    try:
        text = gzip.decompress(run).decode()
    except (OSError, EOFError, zlib.error, UnicodeDecodeError):
        return None
    tops: dict[str, list[str]] = defaultdict(list)
    for query, document in _FIRST.findall(text):
        tops[query].append(document)
    return dict(tops)
