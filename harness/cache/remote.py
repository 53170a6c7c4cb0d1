"""A remote store that fsspec opens (`s3://…`, `gs://…`, a mounted folder), for machines without a shared cache folder.

What one machine builds or encodes is uploaded at once; another machine downloads it instead of computing it. Names are
those of the cache, so they depend on the content; a file that does not match its hash is ignored, and computed again.
Other programs may write to a store: its metadata are checked before a download, and nothing is written outside the
cache.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import re
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from harness.base.disk import is_full
from harness.base.errors import CacheError, Unavailable
from harness.base.files import sha256, share, write_text
from harness.cache.names import is_inside

ADDRESS = "HARNESS_STORE"
META = "meta.json"
_AT = re.compile("[0-9a-f]{32}")
_SHARD = re.compile(r"[0-9a-f]{32}\.arrow")
log = logging.getLogger("harness.cache")


class Remote:
    """A store. A built folder is `<kind>/<key>/<unique name>/`, described by `<kind>/<key>/meta.json`, which is written
    last; shards are files in `<kind>/<key>/`.

    Args:
        address: as fsspec reads it.

    Raises:
        Unavailable: it cannot be opened: no such protocol, or its library is not installed.
    """

    def __init__(self, address: str) -> None:
        # Imported here: a cache without a store needs none of it.
        from fsspec.core import url_to_fs

        self.address = address
        try:
            self._files, self._root = url_to_fs(address)
        except (ImportError, ValueError) as error:
            remedy = f"Check {ADDRESS}; s3:// needs `pip install s3fs`, gs:// needs `pip install gcsfs`."
            raise Unavailable(f"the store {address} cannot be opened ({error}).", remedy) from error

    def fetch(self, kind: str, key: str, place: Path) -> bool:
        """Downloads a built folder, completely or not at all; returns whether the store has it.

        Raises:
            CacheError: the store does not answer.
        """
        with self._requesting():
            meta = self._meta(kind, key)
            if meta is None:
                return False
            place.parent.mkdir(parents=True, exist_ok=True)
            part = Path(tempfile.mkdtemp(prefix=f".{key}.", suffix=".part", dir=place.parent))
            try:
                for name, file in meta["files"].items():
                    (part / name).parent.mkdir(parents=True, exist_ok=True)
                    self._files.get_file(self._path(kind, key, meta["at"], name), str(part / name))
                    if sha256(part / name) != file["sha256"]:
                        log.warning("%s/%s/%s in %s is damaged; it is built again", kind, key, name, self.address)
                        return False
                own = {k: v for k, v in meta.items() if k != "at"} | {"kind": kind, "key": key}
                write_text(part / META, json.dumps(own, indent=1, sort_keys=True))
                share(part)
                part.replace(place)
            except FileNotFoundError:  # removed meanwhile
                return False
            finally:
                shutil.rmtree(part, ignore_errors=True)
        return True

    def keep(self, kind: str, key: str, place: Path) -> None:
        """Uploads a built folder.

        Raises:
            CacheError: the store does not answer.
        """
        with self._requesting():
            meta, at = json.loads((place / META).read_text(encoding="utf-8")), uuid.uuid4().hex
            for name in meta["files"]:
                self._put(place / name, self._path(kind, key, at, name))
            self._write(json.dumps({**meta, "at": at}).encode(), self._path(kind, key, META))

    def fetch_shards(self, kind: str, key: str, folder: Path) -> None:
        """Downloads the shards that are missing here; one that does not match its name is ignored.

        Raises:
            CacheError: the store does not answer.
        """
        with self._requesting():
            try:
                paths = self._files.ls(self._path(kind, key), detail=False, refresh=True)
            except FileNotFoundError:
                return
            for path in paths:
                name = str(path).rpartition("/")[2]
                if not _SHARD.fullmatch(name) or (folder / name).exists():
                    continue
                folder.mkdir(parents=True, exist_ok=True)
                handle, temporary = tempfile.mkstemp(prefix=".", suffix=".part", dir=folder)
                os.close(handle)
                part = Path(temporary)
                try:
                    self._files.get_file(path, str(part))
                    if sha256(part)[:32] == Path(name).stem:
                        share(part)
                        part.replace(folder / name)
                    else:
                        log.warning("%s in %s is damaged; its content is computed again", path, self.address)
                finally:
                    part.unlink(missing_ok=True)

    def keep_shard(self, kind: str, key: str, shard: Path) -> None:
        """Uploads a shard.

        Raises:
            CacheError: the store does not answer.
        """
        with self._requesting():
            self._put(shard, self._path(kind, key, shard.name))

    def _meta(self, kind: str, key: str) -> dict[str, Any] | None:
        """The store's metadata of a folder; None if they are missing or invalid."""
        try:
            with self._files.open(self._path(kind, key, META), "rb") as file:
                meta = json.loads(file.read())
        except FileNotFoundError:
            return None
        except (ValueError, RecursionError):
            meta = None
        if fault := _fault(meta):
            log.warning("%s/%s/%s in %s %s; the folder is built again", kind, key, META, self.address, fault)
            return None
        return meta  # type: ignore[no-any-return]

    def _put(self, file: Path, path: str) -> None:
        self._files.makedirs(path.rpartition("/")[0], exist_ok=True)
        self._files.put_file(str(file), path)

    def _write(self, data: bytes, path: str) -> None:
        self._files.makedirs(path.rpartition("/")[0], exist_ok=True)
        with self._files.open(path, "wb") as file:
            file.write(data)

    def _path(self, *parts: str) -> str:
        return "/".join([self._root.rstrip("/"), *parts])

    @contextlib.contextmanager
    def _requesting(self) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError:
            raise
        except Exception as error:
            if is_full(error):  # the disk of this machine, not the store: the caller reports it
                raise
            raise CacheError(
                f"the store {self.address} ({ADDRESS}) cannot be used ({type(error).__name__}: {error}). The cache on "
                f"this machine is unchanged; check the store, or unset {ADDRESS} to run without it."
            ) from error


def _fault(meta: Any) -> str:
    """What is wrong with the metadata of a folder; empty if they are valid."""
    if not isinstance(meta, dict) or not isinstance(meta.get("files"), dict):
        return "is damaged"
    if not (isinstance(meta.get("at"), str) and _AT.fullmatch(meta["at"])):
        return "names no folder of the store"
    names = list(meta["files"])
    outside = next((name for name in names if not is_inside(name) or name.split("/")[0].casefold() == META), None)
    if outside is not None:
        return f"lists {outside!r}, which is not a file of the folder"
    folders = {name.casefold().rpartition("/")[0] for name in names}
    folders |= {str(above) for folder in folders for above in PurePosixPath(folder).parents}
    distinct = {name.casefold() for name in names}
    if len(distinct) < len(names) or folders & distinct:
        return "lists two files of one name"
    if not all(isinstance(file, dict) and isinstance(file.get("sha256"), str) for file in meta["files"].values()):
        return "lists a file without its hash"
    return ""


def remote() -> Remote | None:
    """The store that the environment names, or None."""
    address = os.environ.get(ADDRESS)
    return Remote(address) if address else None
