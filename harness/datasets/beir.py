"""Collections in BEIR's format, by name: found in the data folders, else downloaded from BEIR's host."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from harness.context import Context
from harness.datasets import Places, Source
from harness.datasets._collection import Collection, collections_in, is_collection
from harness.datasets._splits import Parts, build_dataset
from harness.errors import UnknownName
from harness.judged import Dataset

DEFAULT_SPLIT = {"msmarco": "dev"}
"""Split reported where none is named, if not `test`: BEIR reports MS MARCO on dev."""


@dataclass(frozen=True)
class Beir(Source):
    """`beir/<name>[/split]`; nested collections are named as `beir/cqadupstack/android`."""

    def load(self, rest: str, context: Context) -> Dataset:
        """The collection of that name, from the first data folder that has it.

        Raises:
            UnknownName: no such collection or split.
            DatasetError: a file is missing or malformed; names file and line.
            Unavailable: not on this machine and not to be fetched.
        """
        found, split = find(rest, context)
        if found is None:
            raise UnknownName("BEIR collection", rest, self.available(context))
        folder, name = found
        collection = Collection.find(folder)
        full = f"beir/{name}"
        parts = Parts(full, collection.open_corpus(full, context), collection.read_queries(), collection.readers())
        return build_dataset(parts, split or DEFAULT_SPLIT.get(name, "test"))

    def available(self, context: Context) -> list[str]:
        """Names of the collections in the data folders."""
        found = {name for root in _roots(context) for name in collections_in(root)}
        return sorted(name for name in found if not name.startswith("beir/"))


def find(rest: str, context: Context) -> tuple[tuple[Path, str] | None, str]:
    """Folder and name of a collection in the data folders, or None, and the split named ("" for none)."""
    parts = rest.strip("/").split("/")
    if any(part in ("", ".", "..") for part in parts):
        return None, ""
    for name, split in (("/".join(parts), ""), ("/".join(parts[:-1]), parts[-1])):
        for root in _roots(context):
            if name and is_collection(root / name):
                return (root / name, name), split
    return None, ""


def _roots(context: Context) -> list[Path]:
    return [root for place in Places.of(context).folders for root in (place / "beir", place)]
