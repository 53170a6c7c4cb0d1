"""Results of slow or paid work, stored as they arrive: a kill loses at most the one being computed."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import threading
import time
from collections.abc import Mapping
from typing import Any

from harness.base.disk import writing
from harness.base.files import write_text
from harness.cache.folders import META, Cache


class Journal:
    """JSON-safe results by name, one line each in an append-only file.

    A line contains a hash of itself, so that one that was cut short or altered is ignored.

    Args:
        cache: where they are stored.
        kind: group of entries, as `answers`.
        key: hash of everything that decides a result, except its name.
        describe: the same in words, JSON-safe, for `harness cache ls`.
    """

    def __init__(self, cache: Cache, kind: str, key: str, describe: Mapping[str, Any]) -> None:
        self._path = cache.root / kind / key / "pieces.jsonl"
        self._lock = threading.Lock()
        self.lock = cache.lock(kind, key)
        meta = self._path.with_name(META)
        if not meta.exists():
            content = {"kind": kind, "key": key, "describe": dict(describe), "created": time.time()}
            with writing(cache.root):
                write_text(meta, json.dumps(content, indent=1, sort_keys=True))
        cache.touch(meta.parent)

    def read(self) -> dict[str, Any]:
        """All results so far."""
        results: dict[str, Any] = {}
        if self._path.exists():
            with open(self._path, encoding="utf-8", errors="replace") as file:
                for line in file:
                    with contextlib.suppress(ValueError, TypeError):  # cut short
                        check, name, result = json.loads(line)
                        if check == _check(name, result):
                            results[name] = result
        return results

    def add(self, name: str, result: Any) -> None:
        """Stores one more. Thread-safe; hold `lock` against other processes.

        Raises:
            CacheError: the disk is full, or the cache cannot be written.
        """
        line = json.dumps([_check(name, result), name, result]) + "\n"
        with writing(self._path.parents[2]), self._lock, open(self._path, "a+b") as file:
            if file.tell() and _last(file) != b"\n":
                file.write(b"\n")  # a line that a killed run left half-written stays separate
            file.write(line.encode())
            file.flush()
            os.fsync(file.fileno())


def _check(name: str, result: Any) -> str:
    return hashlib.sha256(json.dumps([name, result], sort_keys=True).encode()).hexdigest()[:16]


def _last(file: Any) -> bytes:
    file.seek(-1, os.SEEK_END)
    return bytes(file.read(1))


def digest(*parts: Any) -> str:
    """32 hexadecimal digits over JSON-safe values."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:32]
