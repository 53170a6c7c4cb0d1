"""Looking after the cache: what is there, is it sound, what may go."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import Timeout

from harness.cache.folders import META, Cache
from harness.files import sha256

NOT_ENTRIES = {"locks", "hashes", "data"}
UNFINISHED_AFTER = 3600.0
"""Seconds after which something half-written that nobody holds counts as left behind."""


@dataclass(frozen=True)
class Entry:
    """One kept thing.

    Args:
        kind: as `embeddings`, `corpora`, `bm25`.
        key: its hash.
        path: its folder.
        bytes: of all its files.
        used: seconds since the epoch when it was last written or asked for.
        describe: words about it.
    """

    kind: str
    key: str
    path: Path
    bytes: int
    used: float
    describe: dict[str, Any]


def entries(cache: Cache) -> list[Entry]:
    """Everything kept, the last used first."""
    found = []
    for folder in cache.root.glob("*/*"):
        if folder.is_dir() and folder.parent.name not in NOT_ENTRIES and not folder.name.startswith("."):
            files = _stats(folder)
            describe = _meta(folder).get("describe", {})
            used = max((s.st_mtime for s in files), default=0.0)
            found.append(Entry(folder.parent.name, folder.name, folder, sum(s.st_size for s in files), used, describe))
    return sorted(found, key=lambda e: (-e.used, e.kind, e.key))


def faults(entry: Entry) -> list[str]:
    """What is wrong with an entry, every byte of it read; empty when it is sound."""
    meta = _meta(entry.path)
    if not meta:
        return [f"{entry.path / META} is missing or no JSON"]
    wrong = [f"{path} is damaged" for path in sorted(entry.path.glob("*.bad"))]
    if "files" not in meta:
        shards = sorted(entry.path.glob("*.arrow"))
        wrong += [f"{path} does not answer to its hash" for path in shards if sha256(path)[:32] != path.stem]
    for name, held in meta.get("files", {}).items():
        path = entry.path / name
        if not path.is_file():
            wrong.append(f"{path} is missing")
        elif path.stat().st_size != held["bytes"] or sha256(path) != held["sha256"]:
            wrong.append(f"{path} does not answer to its hash")
    return wrong


@dataclass(frozen=True)
class Removal:
    """Something `gc` removes, and why."""

    path: Path
    bytes: int
    why: str


def removals(cache: Cache, older_than_days: float | None, max_bytes: int | None) -> Iterator[Removal]:
    """What may go: left-overs and damaged things always, then what is old, then the longest unused beyond a size.

    Every byte of what stays is read, to find what is damaged.
    """
    for part in [*cache.root.glob("*/.*.part"), *cache.root.glob("*/*/.*.part")]:
        with contextlib.suppress(FileNotFoundError):  # finished meanwhile
            written = max([part.stat().st_mtime, *(s.st_mtime for s in _stats(part))])
            if time.time() - written > UNFINISHED_AFTER:
                yield Removal(part, _bytes(part), "left unfinished")
    for bad in cache.root.glob("*/*/*.bad"):
        yield Removal(bad, _bytes(bad), "damaged")
    left = []
    for entry in entries(cache):
        damaged = _damaged(entry)
        yield from (Removal(path, _bytes(path), "damaged") for path in damaged)
        if entry.path in damaged:
            continue
        if older_than_days is not None and time.time() - entry.used > older_than_days * 86400:
            yield Removal(entry.path, entry.bytes, f"not used for {(time.time() - entry.used) / 86400:.0f} days")
        else:
            left.append(entry)
    if max_bytes is not None:
        total = sum(e.bytes for e in left)
        for entry in reversed(left):
            if total <= max_bytes:
                break
            total -= entry.bytes
            yield Removal(entry.path, entry.bytes, "over the size")


def _damaged(entry: Entry) -> list[Path]:
    """What of an entry does not hold what it should: single shards, or the whole where its files belong together.

    Shards answer to their names, so they stand without the words about them.
    """
    meta = _meta(entry.path)
    if "files" in meta:
        return [entry.path] if faults(entry) else []
    shards = sorted(path for path in entry.path.glob("*.arrow") if re.fullmatch("[0-9a-f]{32}", path.stem))
    if not meta and not shards:
        return [entry.path]
    return [path for path in shards if sha256(path)[:32] != path.stem]


def remove(cache: Cache, removal: Removal) -> bool:
    """Removes it unless another process is at work on it; says whether it went."""
    kind, name = removal.path.relative_to(cache.root).parts[:2]
    key = name[1:].partition(".")[0] if name.startswith(".") else name  # `.<key>.….part` is built under the lock of its key
    try:
        with cache.lock(kind, key).acquire(timeout=0):
            if removal.path.is_dir():
                shutil.rmtree(removal.path, ignore_errors=True)
            else:
                removal.path.unlink(missing_ok=True)
    except Timeout:
        return False
    return not removal.path.exists()


def _meta(folder: Path) -> dict[str, Any]:
    try:
        held = json.loads((folder / META).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return held if isinstance(held, dict) else {}


def _bytes(path: Path) -> int:
    return sum(s.st_size for s in _stats(path))


def _stats(path: Path) -> list[os.stat_result]:
    """Of a file, or of all files in a folder; what another process takes away meanwhile is left out."""
    found = []
    for file in [path, *path.rglob("*")]:
        with contextlib.suppress(OSError):
            if file.is_file():
                found.append(file.stat())
    return found
