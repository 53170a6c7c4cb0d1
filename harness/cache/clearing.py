"""Which entries of a cache can be removed, and their removal."""

from __future__ import annotations

import contextlib
import re
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
from filelock import Timeout

from harness.cache import kinds
from harness.cache.folders import META, Cache
from harness.cache.links import Files, files, inside, is_file, is_folder, stats
from harness.cache.manage import Entry, entries, folders, meta_of, total, unsound, wrong

UNFINISHED_AFTER = 3600.0
"""Seconds after which an unfinished entry without a lock counts as abandoned."""
_SHARD = re.compile("[0-9a-f]{32}")


@dataclass(frozen=True)
class Removal:
    """A path that `gc` removes, and why."""

    path: Path
    why: str
    files: Files = field(default_factory=dict)
    kind: str = ""
    describe: Mapping[str, Any] = field(default_factory=dict)

    @property
    def bytes(self) -> int:
        """Size of all its files."""
        return sum(self.files.values())


def removals(cache: Cache, older_than_days: float | None, max_bytes: int | None) -> Iterator[Removal]:
    """What can be removed: unfinished and damaged entries, then old ones, then the longest unused ones beyond a size.

    Every byte of every entry is read, to find damaged ones.
    """
    for part in _unfinished(cache.root):
        with contextlib.suppress(FileNotFoundError):  # finished meanwhile
            results = stats(part)
            written = max([part.lstat().st_mtime, *(result.st_mtime for result in results)])
            if time.time() - written > UNFINISHED_AFTER:
                yield Removal(part, "left unfinished", files(results))
    left = []
    for entry in entries(cache):
        damaged = _damaged(entry)
        if entry.path in damaged:
            yield Removal(entry.path, "damaged", entry.files, entry.kind, entry.describe)
            continue
        yield from (Removal(path, "damaged", files(stats(path))) for path in damaged)
        if older_than_days is not None and time.time() - entry.used > older_than_days * 86400:
            why = f"not used for {(time.time() - entry.used) / 86400:.0f} days"
            yield Removal(entry.path, why, entry.files, entry.kind, entry.describe)
        else:
            left.append(entry)
    if max_bytes is not None:
        yield from _beyond(left, max_bytes)


def _beyond(left: list[Entry], max_bytes: int) -> Iterator[Removal]:
    """The longest unused entries, until the others are small enough; a shared file is freed with its last name."""
    names = Counter(inode for entry in left for inode in entry.files)
    size = total(left)
    for entry in reversed(left):
        if size <= max_bytes:
            return
        names.subtract(entry.files.keys())
        size -= sum(nbytes for inode, nbytes in entry.files.items() if not names[inode])
        yield Removal(entry.path, "over the size", entry.files, entry.kind, entry.describe)


def freed(cache: Cache, gone: Iterable[Removal]) -> int:
    """Bytes that the removals free: each file once, without those that other entries share."""
    gone = list(gone)
    paths = {removal.path for removal in gone}
    stay = {inode for entry in entries(cache) if entry.path not in paths for inode in entry.files}
    return sum({i: size for removal in gone for i, size in removal.files.items() if i not in stay}.values())


def _damaged(entry: Entry) -> list[Path]:
    """The damaged files of an entry, or the whole entry if its files belong together.

    The files of a growing entry are valid without the others, so they stay even if the metadata are missing.
    """
    meta = meta_of(entry.path)
    bad = sorted(path for path in entry.path.glob("*.bad") if is_file(path))
    if entry.kind not in kinds.GROWING:
        damaged = not meta or any(damage for damage, _ in wrong(entry))
        return [entry.path] if damaged else []
    if not meta and not any(path.name != META for path in inside(entry.path)):
        return [entry.path]
    shards = sorted(path for path in entry.path.glob("*.arrow") if _SHARD.fullmatch(path.stem) and is_file(path))
    return bad + [path for path in shards if any(damage for damage, _ in unsound(path, path.stem, 32))]


def remove(cache: Cache, removal: Removal) -> str:
    """Removes a path unless another process uses it; returns why it was not removed, or the empty string.

    A folder is renamed first, so that an interrupted removal leaves no folder that looks like an entry.
    """
    kind, name = removal.path.relative_to(cache.root).parts[:2]
    above = [path for path in removal.path.parents if path != cache.root and path.is_relative_to(cache.root)]
    if not all(map(is_folder, above)):
        return "is inside a link"
    if any(Path(mounted).is_relative_to(removal.path.resolve()) for mounted in mount_points()):
        return "contains another file system"
    key = kinds.key_of_part(name) or name
    try:
        with contextlib.ExitStack() as locked:
            for lock in cache.locks(kind, key) if kind in kinds.WORDS else ():
                locked.enter_context(lock.acquire(timeout=0))
            _remove(removal.path, key)
    except Timeout:
        return "in use"
    except FileNotFoundError:
        return ""
    except OSError as error:
        return f"cannot be removed ({error.strerror or error})"
    return ""


def _remove(path: Path, key: str) -> None:
    if not is_folder(path):
        path.unlink(missing_ok=True)
        return
    doomed = Path(tempfile.mkdtemp(prefix=f".{key}.", suffix=".part", dir=path.parent))
    try:
        path.rename(doomed / path.name)
    except OSError:
        doomed.rmdir()
        raise
    shutil.rmtree(doomed)


def mount_points() -> list[str]:
    """Folders at which other file systems are mounted, bind mounts included."""
    return [part.mountpoint for part in psutil.disk_partitions(all=True)]


def _unfinished(root: Path) -> Iterator[Path]:
    """Paths with the name of an unfinished folder, of an unfinished file in an entry, or of an unfinished memo."""
    for folder in folders(root):
        if kinds.key_of_part(folder.name) is not None:
            yield folder
        elif kinds.is_key(folder.name):
            yield from (path for path in inside(folder) if kinds.is_part(path.name) and is_file(path))
    for memos in sorted(kinds.MEMOS):
        if is_folder(root / memos):
            yield from (path for path in inside(root / memos) if kinds.is_memo_part(path.name) and is_file(path))
