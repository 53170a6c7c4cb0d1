"""The first ten documents of each query of a stored run, without parsing the others."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import itertools
import json
import re
import zlib
from collections.abc import Mapping, Sequence

from harness.base.files import write_text
from harness.base.json_files import decode_json, read_regular
from harness.bench.store import StoredRecord
from harness.cache.code import code_of
from harness.cache.folders import Cache

TopLists = Mapping[str, Sequence[str]]
"""Query id → document ids, best first."""
_FIRST = re.compile(rb"^(\S+) Q0 (\S+) (?:[1-9]|10) ", re.MULTILINE)


def top_lists(stored: StoredRecord, cache: Cache) -> TopLists | None:
    """The ten best of each query, cached by the run's content; None if the run is missing, or is not the record's."""
    path, sha256 = stored.place.run, stored.record.run_sha256
    try:
        if not sha256 or not path.is_file() or cache.hashes.sha256(path) != sha256:
            return None
    except OSError:
        return None

    code = code_of(__name__, without=(StoredRecord.__module__,))
    key = hashlib.sha256(f"{code} {sha256}".encode()).hexdigest()[:32]
    memo = cache.root / "top_lists" / f"{key}.json"  # small, as the memo of hashes is, and not an entry of the cache
    with contextlib.suppress(OSError, ValueError):
        return decode_json(read_regular(memo), dict[str, list[str]])
    try:
        tops = _first_ten(gzip.decompress(path.read_bytes()))
    except (OSError, EOFError, zlib.error, UnicodeDecodeError):
        return None
    with contextlib.suppress(OSError):  # a read-only cache costs time, not correctness
        write_text(memo, json.dumps(tops, ensure_ascii=False), durable=False)
    return tops


def _first_ten(run: bytes) -> dict[str, list[str]]:
    """Query id → its documents of rank 1 to 10, in the order of the run's lines."""
    lines = _FIRST.findall(run)
    # Decoded at once: a board has millions of ids.
    documents = b"\n".join(document for _, document in lines).decode().split("\n")
    tops: dict[str, list[str]] = {}
    start = 0
    for query, block in itertools.groupby(query for query, _ in lines):
        end = start + sum(1 for _ in block)
        tops.setdefault(query.decode(), []).extend(documents[start:end])
        start = end
    return tops
