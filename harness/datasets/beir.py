"""Collections in BEIR's format, by name: from the data folders, else downloaded from BEIR's host."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from shutil import rmtree
from typing import ClassVar

from harness.base.errors import DatasetError, Unavailable, UnknownName
from harness.collection.files import EXPECTED, Collection, collections_in, is_collection
from harness.collection.self_retrieval import declared
from harness.collection.splits import Parts, build_dataset, known_split
from harness.data.dataset import Dataset
from harness.datasets import Places, Source
from harness.datasets._archives import ARCHIVES, HOST, UNPUBLISHED, Archive
from harness.datasets._offline import offline
from harness.datasets._unpack import unpack
from harness.runtime.context import Context

DEFAULT_SPLIT = {"msmarco": "dev"}
"""Split that is reported by default, if not `test`: BEIR reports MS MARCO on dev."""


@dataclass(frozen=True)
class Beir(Source):
    """`beir/<name>[/split]`; nested collections are named as `beir/cqadupstack/android`."""

    may_be_made: ClassVar[bool] = True

    def load(self, rest: str, context: Context) -> Dataset:
        """The collection of that name, from the first data folder that contains it, else downloaded.

        Raises:
            UnknownName: no such collection or split.
            DatasetError: a file is missing or malformed; names file and line.
            Unavailable: not on this machine and cannot be downloaded; names the folders that were searched.
        """
        place = self._find(rest, context)
        collection = Collection.find(place.folder)
        full = f"beir/{place.name}"
        archive = ARCHIVES.get(place.name.partition("/")[0])
        parts = Parts(
            full,
            collection.open_corpus(full, context),
            collection.read_queries(),
            collection.readers(),
            licence=archive.licence if archive else "",
            own=declared(place.folder),
            changed=collection.changed,
        )
        return build_dataset(parts, place.reported)

    def check(self, rest: str, context: Context) -> None:
        """See `Source.check`."""
        place = find(rest, context)
        if place is None:
            _check_known(rest.partition("/")[0], context)
        else:
            known_split(place.reported, Collection.find(place.folder).qrels, f"beir/{place.name}")

    def available(self, context: Context) -> list[str]:
        """Names of the collections in the data folders."""
        names = {name for root in _roots(context) for name in collections_in(root)}
        return sorted(name for name in names if not name.startswith("beir/"))

    def known(self, context: Context) -> list[str]:
        """Names of these and of BEIR's collections."""
        return sorted({*self.available(context), *ARCHIVES, *UNPUBLISHED})

    def folder(self, rest: str, context: Context) -> Path:
        """The folder of the collection, which is downloaded if it is missing.

        Raises:
            HarnessError: as `load`.
        """
        return self._find(rest, context).folder

    def _find(self, rest: str, context: Context) -> Place:
        place = find(rest, context)
        if place is None:
            fetch(rest, context)
            place = find(rest, context)
        if place is None:
            raise UnknownName("BEIR collection", rest, self.available(context))
        return place


@dataclass(frozen=True)
class Place:
    """A collection in a data folder, and the split that was named with it, or the empty string."""

    folder: Path
    name: str
    split: str

    @property
    def reported(self) -> str:
        """The named split, else the collection's default."""
        return self.split or DEFAULT_SPLIT.get(self.name, "test")


def find(rest: str, context: Context) -> Place | None:
    """Looks for `name[/split]` in the data folders, in their order."""
    parts = rest.strip("/").split("/")
    if any(part in ("", ".", "..") for part in parts):
        return None
    for cut in (len(parts), len(parts) - 1):
        name = "/".join(parts[:cut])
        for root in _roots(context):
            if name and is_collection(root / name):
                return Place(root / name, name, "/".join(parts[cut:]))
    return None


def fetch(name: str, context: Context) -> Path:
    """The folder of a collection; if no data folder contains it, it is downloaded and unpacked into the cache.

    Args:
        name: as `scifact`, also with `beir/` before it or a split after it.
        context: its data folders, cache and progress.

    Raises:
        UnknownName: BEIR has no such collection.
        Unavailable: offline, not published, or the host cannot be reached.
        DatasetError: the downloaded file is not the one that BEIR published.
    """
    name = name.removeprefix("beir/").partition("/")[0]
    for root in _roots(context):
        if name and (is_collection(root / name) or collections_in(root / name)):
            return root / name
    searched = (
        f"beir/{name} is not on this machine (searched: {', '.join(str(root / name) for root in _roots(context))})"
    )
    by_hand = f"copy its folder ({EXPECTED}) to one of these places, or name its parent folder with --data-dir or "
    by_hand += "HARNESS_DATA."
    if name in UNPUBLISHED:
        raise Unavailable(
            f"{searched}, and BEIR is not allowed to publish it.",
            f"Build it as described in https://github.com/beir-cellar/beir/tree/main/examples/dataset, and {by_hand}",
        )
    _check_known(name, context)
    if offline():
        raise Unavailable(
            f"{searched}, and HARNESS_OFFLINE forbids the download.",
            f"Unset it and run `harness data fetch beir/{name}`, or {by_hand}",
        )
    try:
        return _install(name, ARCHIVES[name], context)
    except Unavailable as error:
        raise Unavailable(
            f"{searched}, and {error.reason}",
            f"Run `harness data fetch beir/{name}` to resume the download, or {by_hand}",
        ) from error


def _check_known(name: str, context: Context) -> None:
    """Raises UnknownName if neither BEIR nor a data folder has a collection of that name."""
    names = {known.partition("/")[0] for known in Beir().known(context)}
    if not name:
        raise DatasetError("name a collection of BEIR, as beir/scifact; `harness list datasets` lists them.")
    if name not in names:
        own = f"For a collection of your own, write the path of its folder, as ./{name or 'my-folder'}."
        raise UnknownName("BEIR collection", name, Beir().known(context), own)


def _install(name: str, archive: Archive, context: Context) -> Path:
    """Downloads, verifies and unpacks; another process that needs the same collection waits for this one."""
    from harness.datasets._download import download, verify_md5  # imports Python's HTTP, which a listing does not need

    place = context.cache.root / "data" / "beir" / name
    with context.cache.lock("beir", name):
        if place.exists():
            return place
        url = f"{os.environ.get('HARNESS_BEIR_URL', HOST).rstrip('/')}/{name}.zip"
        part = context.cache.root / "downloads" / f"beir-{name}.zip.part"
        with context.progress(f"download beir/{name}", archive.size, "bytes") as advance:
            download(url, part, advance, 2 * archive.size)  # the checksum decides whether it is the file
        verify_md5(part, archive.md5, url)
        place.parent.mkdir(parents=True, exist_ok=True)
        for left in place.parent.glob(f".{name}.*.part"):  # by a killed process: this one has the lock
            rmtree(left, ignore_errors=True)
        # In the same folder, so that the move is one rename; hidden, so that it is not listed as a collection.
        opened = Path(tempfile.mkdtemp(prefix=f".{name}.", suffix=".part", dir=place.parent))
        try:
            unpack(part, opened)
            inner = opened / name
            if not (is_collection(inner) or collections_in(inner)):
                raise DatasetError(f"the archive {url} has no folder {name} with {EXPECTED}.")
            inner.rename(place)
        finally:
            rmtree(opened, ignore_errors=True)
        part.unlink()
    return place


def _roots(context: Context) -> list[Path]:
    return [root for place in Places.of(context).folders for root in (place / "beir", place)]
