"""Your own collection, by its path: corpus.jsonl, queries.jsonl and qrels/<split>.tsv in one folder."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from harness.base.errors import DatasetError
from harness.base.files import there
from harness.base.plain import check_text
from harness.collection.files import EXPECTED, Collection, is_collection
from harness.collection.offer import offer
from harness.collection.self_retrieval import declared
from harness.collection.splits import Parts, build_dataset, known_split
from harness.data.dataset import Dataset
from harness.datasets import Source
from harness.datasets._paths import as_path, canonical
from harness.runtime.context import Context


@dataclass(frozen=True)
class Folder(Source):
    """`folder/<path>[/split]`, or the path without `folder/` if it exists or begins with `.`, `~` or `/`.

    However a folder is written, the dataset has one name: `folder/` and the path relative to the working folder if it
    is inside it, else the absolute path.
    """

    may_be_passed_on: ClassVar[bool] = True
    may_be_made: ClassVar[bool] = True

    def load(self, rest: str, context: Context) -> Dataset:
        """The collection in a folder; the last component is the split unless it is a folder inside the collection.

        Raises:
            DatasetError: no such folder, or a file is missing or malformed; names file and line.
            UnknownName: the collection has no such split.
            SettingError: the path is not text, so that no record could name it.
        """
        path, split = locate(rest)
        collection = Collection.find(path)
        name = f"folder/{canonical(path)}"
        check_text(name)
        corpus, queries = collection.open_corpus(name, context), collection.read_queries()
        parts = Parts(name, corpus, queries, collection.readers(), own=declared(path), changed=collection.changed)
        return build_dataset(parts, split or "test")

    def available(self, context: Context) -> list[str]:
        """None: folders are named by their path."""
        return []

    def spelled(self, rest: str) -> str:
        """See `Source.spelled`."""
        path, split = locate(rest)
        return f"{canonical(path)}/{split}" if split else canonical(path)

    def check(self, rest: str, context: Context) -> None:
        """See `Source.check`."""
        path, split = locate(rest)
        known_split(split or "test", Collection.find(path).qrels, f"folder/{canonical(path)}")

    def at_hand(self, rest: str, context: Context) -> bool:
        """Whether the path is a collection."""
        return is_collection(locate(rest)[0])

    def folder(self, rest: str, context: Context) -> Path:
        """The folder of that path.

        Raises:
            DatasetError: there is none.
        """
        return locate(rest)[0]


def locate(rest: str) -> tuple[Path, str]:
    """Folder and split of a path; the split is empty if none is named.

    Raises:
        DatasetError: there is no such folder.
    """
    if not rest.strip():
        raise DatasetError(
            f"no folder named; write folder/<path> or ./<path>. A collection is a folder with {EXPECTED}."
        )
    path = as_path(rest)
    if there(path.is_dir):
        return path, ""
    if there(path.parent.is_dir) and is_collection(path.parent) and not os.path.lexists(path):
        return path.parent, path.name
    if os.path.lexists(path):
        raise DatasetError(f"{path} is not a folder; name the folder with {EXPECTED}.{offer(path)}")
    raise DatasetError(f"there is no folder {path}; name a folder with {EXPECTED}.")
