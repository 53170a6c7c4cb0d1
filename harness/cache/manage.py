"""Lists and verifies the entries of a cache.

Only entries are read: folders `<kind>/<key>/` of the kinds and names that `harness.cache.kinds` lists. No link is
followed, neither at the kind nor at the entry nor inside it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from harness.base.files import sha256
from harness.cache import kinds
from harness.cache.folders import META, Cache
from harness.cache.links import Files, files, inside, is_file, is_folder, stats
from harness.cache.marker import MARKER
from harness.cache.names import is_inside


@dataclass(frozen=True)
class Entry:
    """One cached thing.

    Args:
        kind: as `embeddings`, `corpora`, `bm25`.
        key: its hash.
        path: its folder.
        files: all its files.
        used: seconds since the epoch of its last use.
        describe: details about it.
    """

    kind: str
    key: str
    path: Path
    files: Files
    used: float
    describe: dict[str, Any]

    @property
    def bytes(self) -> int:
        """Size of all its files; a file that entries share counts in each."""
        return sum(self.files.values())


def entries(cache: Cache) -> list[Entry]:
    """All entries, the last used first."""
    listed = []
    for folder in folders(cache.root):
        if kinds.is_key(folder.name):
            results = stats(folder)
            describe = meta_of(folder).get("describe")
            used = max((result.st_mtime for result in results), default=0.0)
            details = describe if isinstance(describe, dict) else {}
            listed.append(Entry(folder.parent.name, folder.name, folder, files(results), used, details))
    return sorted(listed, key=lambda e: (-e.used, e.kind, e.key))


class HasFiles(Protocol):
    """Anything with files."""

    @property
    def files(self) -> Files:
        """By inode."""


def total(parts: Iterable[HasFiles]) -> int:
    """Bytes of several things together; each file counts once."""
    return sum({inode: size for part in parts for inode, size in part.files.items()}.values())


def faults(entry: Entry) -> list[str]:
    """What is wrong with an entry, of which every byte is read; empty if it is sound."""
    return [text for _, text in wrong(entry)]


def wrong(entry: Entry) -> Iterator[tuple[bool, str]]:
    """As `faults`, and whether each is damage: a file that cannot be read may be sound."""
    meta = meta_of(entry.path)
    if not meta:
        yield True, f"{entry.path / META} is missing or not JSON"
        return
    yield from ((True, f"{path} is damaged") for path in sorted(entry.path.glob("*.bad")))
    if "files" not in meta:
        for path in sorted(entry.path.glob("*.arrow")):
            yield from unsound(path, path.stem, 32)
    for name, file in _listed(meta).items():
        if not (is_inside(name) and isinstance(file, dict)):
            yield True, f"{entry.path / META} lists an invalid file: {name!r}"
        elif not (entry.path / name).is_file():
            yield True, f"{entry.path / name} is missing"
        else:
            yield from unsound(entry.path / name, file.get("sha256"), 64)


def unsound(path: Path, wanted: object, digits: int) -> Iterator[tuple[bool, str]]:
    """As `wrong`, of a file whose SHA-256 begins with these digits."""
    try:
        if sha256(path)[:digits] != wanted:
            yield True, f"{path} does not match its hash"
    except OSError as error:
        yield False, f"{path} cannot be read ({error.strerror or error})"


def left_alone(cache: Cache) -> Iterator[tuple[Path, str]]:
    """Paths in the cache's folder that are ignored, and why."""
    for path in inside(cache.root):
        if path.is_symlink():
            yield path, "a link"
        elif path.name in kinds.WORDS and is_folder(path):
            yield from ((inner, why) for inner in inside(path) if (why := _not_an_entry(inner)))
            if not os.access(path, os.R_OK | os.X_OK):
                yield path, "cannot be read"
        elif path.name not in kinds.BESIDE | kinds.OF_THE_SYSTEM | {MARKER}:
            yield path, "not of this cache"


def _not_an_entry(path: Path) -> str:
    if path.is_symlink():
        return "a link"
    named = kinds.is_key(path.name) or kinds.key_of_part(path.name) is not None
    return "" if (named and is_folder(path)) or path.name in kinds.OF_THE_SYSTEM else "not of this cache"


def folders(root: Path) -> Iterator[Path]:
    """The folders in the folders of known kinds, without links."""
    for kind in sorted(kinds.WORDS):
        if is_folder(root / kind):
            yield from (path for path in inside(root / kind) if is_folder(path))


def meta_of(folder: Path) -> dict[str, Any]:
    """The metadata of an entry; empty if they are missing or damaged."""
    if not is_file(folder / META):
        return {}
    try:
        meta = json.loads((folder / META).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return meta if isinstance(meta, dict) else {}


def _listed(meta: Mapping[str, Any]) -> Mapping[str, Any]:
    listed = meta.get("files", {})
    return listed if isinstance(listed, dict) else {META: None}
