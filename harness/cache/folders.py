"""Built folders: built once under a temporary name, renamed when they are complete, found by key."""

from __future__ import annotations

import contextlib
import glob
import json
import logging
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from filelock import FileLock

from harness.base.disk import writing
from harness.base.errors import CacheError
from harness.base.files import HashMemo, sha256, share, write_text
from harness.base.plain import check_text
from harness.cache.marker import mark
from harness.cache.names import is_inside
from harness.cache.remote import META as META
from harness.cache.remote import Remote, remote

log = logging.getLogger("harness.cache")
PAUSES = (0.0, 0.05, 0.2, 0.5, 1.0, 2.0)
"""Seconds before each attempt to remove an unfinished folder."""


def default_root() -> Path:
    """`HARNESS_CACHE`, else the user's cache folder."""
    import platformdirs

    named = os.environ.get("HARNESS_CACHE")
    return Path(named).expanduser() if named else Path(platformdirs.user_cache_dir("retrieval-harness"))


class Cache:
    """A folder of built things.

    Args:
        root: the folder; created if it is missing. Default: `HARNESS_CACHE` or the user's cache folder.

    Attributes:
        remote: the store that `HARNESS_STORE` names, which shares entries with other machines; None without one.

    Raises:
        CacheError: the folder cannot be created or written.
        SettingError: its name is not text.
        Unavailable: the store cannot be opened.
    """

    remote: Remote | None

    def __init__(self, root: Path | None = None) -> None:
        self._set(root or default_root())
        check_text(str(self.root))  # some libraries open no other path
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=self.root).close()
            mark(self.root)
        except OSError as error:
            raise CacheError(
                f"the cache folder {self.root} cannot be written ({error.strerror or error}); "
                "name another folder with --cache-dir or HARNESS_CACHE."
            ) from error
        self.remote = remote()

    @classmethod
    def unopened(cls, root: Path) -> Cache:
        """A cache to list or verify: the folder may be read-only, and nothing is written to open it."""
        cache = cls.__new__(cls)
        cache._set(root)
        return cache

    def _set(self, root: Path) -> None:
        self.root = root
        self.hashes = HashMemo(root / "hashes")
        self.remote = None
        self._part: str | None = None

    def lock(self, kind: str, key: str) -> FileLock:
        """A lock between processes for one entry; released by the system if its holder dies."""
        folder = self.root / "locks"
        folder.mkdir(parents=True, exist_ok=True)
        return FileLock(folder / f"{kind}-{key}.lock")

    def locks(self, kind: str, key: str) -> list[FileLock]:
        """All locks of one entry: that of the whole entry, and those of the parts that were written in `apart`."""
        name = f"{kind}-{key}"
        parts = sorted((self.root / "locks").glob(f"{glob.escape(name)}-*.lock"))
        return [self.lock(kind, key), *(FileLock(part) for part in parts)]

    def shared_lock(self, kind: str, key: str) -> FileLock:
        """A lock for an entry that is only added to; inside `apart`, for the part of the entry."""
        return self.lock(kind, key if self._part is None else f"{key}-{self._part}")

    @property
    def is_apart(self) -> bool:
        """Whether other processes may be adding other parts to the same entries."""
        return self._part is not None

    @contextlib.contextmanager
    def apart(self, part: str) -> Iterator[None]:
        """In the block, entries that are only added to are locked by part, so that processes can add other parts.

        Args:
            part: name of the part; another process that adds the same part waits.
        """
        before, self._part = self._part, part
        try:
            yield
        finally:
            self._part = before

    def folder(self, kind: str, key: str, describe: Mapping[str, Any], build: Callable[[Path], None]) -> Path:
        """The folder of `key`; it is built now if it is missing or damaged.

        Args:
            kind: group of entries, as `corpora` or `bm25`.
            key: hash of all that decides the content.
            describe: JSON-safe details about the entry, for `harness cache ls`.
            build: fills an empty folder; what it raises passes through, and nothing is left behind.

        Raises:
            CacheError: the disk is full, or the cache cannot be written.
        """
        place = self.root / kind / key
        if self._whole(place):
            self.touch(place)
            return place
        with writing(self.root), self.lock(kind, key):
            if self._whole(place):  # another process built it while this one waited
                return place
            if place.exists():
                log.warning("%s is damaged (a file is missing, cut short or altered); it is built again", place)
                if place.is_symlink():
                    place.unlink()  # the target of a link is not part of the cache
                else:
                    shutil.rmtree(place)
            place.parent.mkdir(parents=True, exist_ok=True)
            # Left by a killed process: this one has the lock.
            for part in place.parent.glob(f".{glob.escape(key)}.*.part"):
                _discard(part)
            if self.remote is not None and self.remote.fetch(kind, key, place):
                return place
            self._build(place, {"kind": kind, "key": key, "describe": dict(describe)}, build)
            if self.remote is not None:
                self.remote.keep(kind, key, place)
        return place

    def _build(self, place: Path, meta: dict[str, Any], build: Callable[[Path], None]) -> None:
        """Builds a folder under a temporary name and renames it."""
        part = Path(tempfile.mkdtemp(prefix=f".{place.name}.", suffix=".part", dir=place.parent))
        started = time.perf_counter()
        try:
            build(part)
            files = {
                str(f.relative_to(part)): {"bytes": f.stat().st_size, "sha256": sha256(f)}
                for f in sorted(part.rglob("*"))
                if f.is_file()
            }
            seconds = round(time.perf_counter() - started, 3)
            meta |= {"files": files, "seconds": seconds, "created": time.time()}
            write_text(part / META, json.dumps(meta, indent=1, sort_keys=True))
            share(part)
            part.replace(place)
            for name, file in files.items():
                self.hashes.remember(place / name, str(file["sha256"]))
        finally:
            _discard(part)

    def share(self, kind: str, part: Path, inside: str) -> None:
        """Replaces a file of an entry that is being built by a hard link to an equal file of another entry.

        Many models contain the same encoder's weights; on disk they are stored once. On a file system without links the
        copy stays.

        Args:
            kind: group of entries.
            part: the folder being built.
            inside: the file's place in it, with slashes.
        """
        file = part / inside
        size, own = file.stat().st_size, sha256(file)
        for meta in sorted((self.root / kind).glob(f"*/{META}")):
            with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
                described = json.loads(meta.read_text(encoding="utf-8"))["files"][inside]
                other = meta.parent / inside
                if described == {"bytes": size, "sha256": own} and other.stat().st_size == size:
                    with tempfile.TemporaryDirectory(dir=part) as temporary:
                        os.link(other, Path(temporary) / "link")
                        (Path(temporary) / "link").replace(file)
                    return

    def meta(self, place: Path) -> dict[str, Any]:
        """What was written about an entry when it was built."""
        return json.loads((place / META).read_text(encoding="utf-8"))  # type: ignore[no-any-return]

    @staticmethod
    def touch(place: Path) -> None:
        """Notes that an entry is used; `gc` removes entries by the time of last use."""
        with contextlib.suppress(OSError):
            os.utime(place / META)

    def _whole(self, place: Path) -> bool:
        """Whether every file has its length and its hash, which is computed again only if the file has changed."""
        try:
            files = json.loads((place / META).read_text(encoding="utf-8"))["files"]
            if not all(map(is_inside, files)):
                return False
            sizes = all((place / name).stat().st_size == file["bytes"] for name, file in files.items())
            return sizes and all(self.hashes.sha256(place / name) == file["sha256"] for name, file in files.items())
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return False


def _discard(part: Path) -> None:
    """Removes an unfinished folder: again if that fails, since the threads and processes of a library may go on writing
    for a moment after its error.
    """
    for pause in PAUSES:
        time.sleep(pause)
        shutil.rmtree(part, ignore_errors=True)
        if not os.path.lexists(part):
            return
    log.warning("%s is unfinished and cannot be removed now; `harness cache gc` removes it after an hour", part)
