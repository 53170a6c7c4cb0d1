"""Collections in BEIR's format, by name: found in the data folders, else downloaded from BEIR's host."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from shutil import rmtree

from harness.base.errors import DatasetError, Unavailable, UnknownName
from harness.collection.files import EXPECTED, Collection, collections_in, is_collection
from harness.collection.splits import Parts, build_dataset, known_split
from harness.data.dataset import Dataset
from harness.datasets import Places, Source
from harness.datasets._archives import ARCHIVES, HOST, UNPUBLISHED, Archive
from harness.datasets._offline import offline
from harness.datasets._unpack import unpack
from harness.runtime.context import Context

DEFAULT_SPLIT = {"msmarco": "dev"}
"""Split reported where none is named, if not `test`: BEIR reports MS MARCO on dev."""


@dataclass(frozen=True)
class Beir(Source):
    """`beir/<name>[/split]`; nested collections are named as `beir/cqadupstack/android`."""

    def load(self, rest: str, context: Context) -> Dataset:
        """The collection of that name, from the first data folder that has it, else downloaded.

        Raises:
            UnknownName: no such collection or split.
            DatasetError: a file is missing or malformed; names file and line.
            Unavailable: not on this machine and not to be fetched; names the folders looked in.
        """
        found = self._find(rest, context)
        collection = Collection.find(found.folder)
        full = f"beir/{found.name}"
        known = ARCHIVES.get(found.name.partition("/")[0])
        parts = Parts(
            full,
            collection.open_corpus(full, context),
            collection.read_queries(),
            collection.readers(),
            licence=known.licence if known else "",
            changed=collection.changed,
        )
        return build_dataset(parts, found.split or DEFAULT_SPLIT.get(found.name, "test"))

    def check(self, rest: str, context: Context) -> None:
        """See `Source.check`."""
        found = find(rest, context)
        if found is None:
            _known(rest.partition("/")[0], context)
        else:
            wanted = found.split or DEFAULT_SPLIT.get(found.name, "test")
            known_split(wanted, Collection.find(found.folder).qrels, f"beir/{found.name}")

    def available(self, context: Context) -> list[str]:
        """Names of the collections in the data folders."""
        found = {name for root in _roots(context) for name in collections_in(root)}
        return sorted(name for name in found if not name.startswith("beir/"))

    def known(self, context: Context) -> list[str]:
        """These, and what BEIR has."""
        return sorted({*self.available(context), *ARCHIVES, *UNPUBLISHED})

    def folder(self, rest: str, context: Context) -> Path:
        """Where the collection is, downloaded if need be.

        Raises:
            HarnessError: as `load`.
        """
        return self._find(rest, context).folder

    def _find(self, rest: str, context: Context) -> Found:
        found = find(rest, context)
        if found is None:
            fetch(rest, context)
            found = find(rest, context)
        if found is None:
            raise UnknownName("BEIR collection", rest, self.available(context))
        return found


@dataclass(frozen=True)
class Found:
    """A collection in a data folder, and the split that was named with it, or the empty string."""

    folder: Path
    name: str
    split: str


def find(rest: str, context: Context) -> Found | None:
    """Looks for `name[/split]` in the data folders, in their order."""
    parts = rest.strip("/").split("/")
    if any(part in ("", ".", "..") for part in parts):
        return None
    for cut in (len(parts), len(parts) - 1):
        name = "/".join(parts[:cut])
        for root in _roots(context):
            if name and is_collection(root / name):
                return Found(root / name, name, "/".join(parts[cut:]))
    return None


def fetch(name: str, context: Context) -> Path:
    """The folder of a collection, downloaded and unpacked into the user's cache if it is in no data folder.

    Args:
        name: as `scifact`, also with `beir/` before it or a split after it.
        context: its data folders, cache and progress.

    Raises:
        UnknownName: BEIR has no such collection.
        Unavailable: offline, not to be downloaded, or the host cannot be reached.
        DatasetError: what came is not what BEIR published.
    """
    name = name.removeprefix("beir/").partition("/")[0]
    for root in _roots(context):
        if name and (is_collection(root / name) or collections_in(root / name)):
            return root / name
    looked = f"beir/{name} is not in {', '.join(str(root / name) for root in _roots(context))}"
    by_hand = f"put its folder ({EXPECTED}) into one of them, or name the folder that holds it with --data-dir or HARNESS_DATA."
    if name in UNPUBLISHED:
        raise Unavailable(
            f"{looked}, and BEIR may not publish it.",
            f"Make it as https://github.com/beir-cellar/beir/tree/main/examples/dataset says, and {by_hand}",
        )
    _known(name, context)
    if offline():
        raise Unavailable(
            f"{looked}, and HARNESS_OFFLINE forbids the download.",
            f"Unset it and run `harness data fetch beir/{name}`, or {by_hand}",
        )
    try:
        return _install(name, ARCHIVES[name], context)
    except Unavailable as error:
        raise Unavailable(
            f"{looked}, and {error.reason}",
            f"`harness data fetch beir/{name}` goes on where the download stopped; or {by_hand}",
        ) from error


def _known(name: str, context: Context) -> None:
    """Raises UnknownName where neither BEIR nor a data folder has a collection of that name."""
    places = {held.partition("/")[0] for held in Beir().known(context)}
    if name not in places:
        own = f"For one of your own name its folder by its path, as ./{name or 'my-folder'}."
        raise UnknownName("BEIR collection", name, Beir().known(context), own)


def _install(name: str, archive: Archive, context: Context) -> Path:
    """Downloads, verifies and unpacks; another process that wants the same waits for this one."""
    from harness.datasets._download import download, verify_md5  # with Python's HTTP, which a listing needs not

    place = context.cache.root / "data" / "beir" / name
    with context.cache.lock("beir", name):
        if place.exists():
            return place
        url = f"{os.environ.get('HARNESS_BEIR_URL', HOST).rstrip('/')}/{name}.zip"
        part = context.cache.root / "downloads" / f"beir-{name}.zip.part"
        with context.progress(f"download beir/{name}", archive.size, "bytes") as advance:
            download(url, part, advance, 2 * archive.size)  # the checksum says whether it is the file
        verify_md5(part, archive.md5, url)
        place.parent.mkdir(parents=True, exist_ok=True)
        # Beside its place, so that the move is one rename; hidden, so that nothing takes it for a collection.
        opened = Path(tempfile.mkdtemp(prefix=f".{name}.", suffix=".part", dir=place.parent))
        try:
            unpack(part, opened)
            inner = opened / name
            if not (is_collection(inner) or collections_in(inner)):
                raise DatasetError(f"{url} holds no folder {name} with {EXPECTED}.")
            inner.rename(place)
        finally:
            rmtree(opened, ignore_errors=True)
        part.unlink()
    return place


def _roots(context: Context) -> list[Path]:
    return [root for place in Places.of(context).folders for root in (place / "beir", place)]
