"""Your own collection, by its path: corpus.jsonl, queries.jsonl and qrels/<split>.tsv in one folder."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from harness.context import Context
from harness.datasets import Source
from harness.datasets._collection import EXPECTED, Collection, is_collection
from harness.datasets._splits import Parts, build_dataset
from harness.errors import DatasetError
from harness.files import there
from harness.judged import Dataset


@dataclass(frozen=True)
class Folder(Source):
    """`folder/<path>[/split]`, or the path alone where it begins with `.`, `~` or `/`."""

    def load(self, rest: str, context: Context) -> Dataset:
        """The collection in a folder; the last component is the split where it is no folder inside a collection.

        Raises:
            DatasetError: no such folder, or a file that is missing or malformed; names file and line.
            UnknownName: the collection has no such split.
        """
        path, split = locate(rest)
        collection = Collection.find(path.expanduser())
        name = f"folder/{path.as_posix()}"
        corpus, queries = collection.open_corpus(name, context), collection.read_queries()
        parts = Parts(name, corpus, queries, collection.readers(), changed=collection.changed)
        return build_dataset(parts, split)

    def available(self, context: Context) -> list[str]:
        """None: folders are named by their path, not found."""
        return []

    def at_hand(self, rest: str, context: Context) -> bool:
        """Whether the path is a collection."""
        return is_collection(locate(rest)[0].expanduser())

    def folder(self, rest: str, context: Context) -> Path:
        """The folder that the path names.

        Raises:
            DatasetError: there is none.
        """
        return locate(rest)[0].expanduser()


def locate(rest: str) -> tuple[Path, str]:
    """Folder, as written, and split of a path; the split is `test` where none is named.

    Raises:
        DatasetError: there is no such folder.
    """
    path = Path(os.path.normpath(rest))
    if there(path.expanduser().is_dir):
        return path, "test"
    parent = path.parent
    if is_collection(parent.expanduser()):
        return parent, path.name
    raise DatasetError(f"there is no folder {path}; name one that holds {EXPECTED}.")
