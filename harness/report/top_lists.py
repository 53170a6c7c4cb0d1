"""The first ten documents of each query of a stored run, without parsing the others."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import json
import re
import zlib
from collections import defaultdict
from collections.abc import Mapping, Sequence

from harness.base.files import write_text
from harness.base.json_files import decode_json, read_regular
from harness.bench.store import StoredRecord
from harness.cache.code import code_of
from harness.cache.folders import Cache

TopLists = Mapping[str, Sequence[str]]
"""Query id → document ids, best first."""
SMALL = 1 << 18
"""Bytes of a run up to which it is read again each time: that is as fast as a memo of it."""
_FIRST = re.compile(r"^(\S+) Q0 (\S+) (?:[1-9]|10) ", re.MULTILINE | re.ASCII)


def top_lists(stored: StoredRecord, cache: Cache) -> TopLists | None:
    """The ten best of each query, cached by the run's content; None if the run is missing, or is not the record's."""
    path, sha256 = stored.place.run, stored.record.run_sha256
    try:
        if not sha256 or not path.is_file():
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
