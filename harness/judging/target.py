"""The collection whose judgements are filled in: its texts, its labels so far, and where new ones are written."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from filelock import FileLock, Timeout

from harness.base.errors import DatasetError, SettingError
from harness.collection.labels import Label, Labels, digest, labels_file, read_labels, write_labels
from harness.collection.variant import reported_split
from harness.data.dataset import Dataset
from harness.data.documents import Document
from harness.datasets import load_dataset, made_folder
from harness.exchange.beir import labels_of_splits, write_collection
from harness.judges import HIGHEST
from harness.runtime.context import Context

GIVEN = "given"
"""Judge of the judgements that a collection had before."""


@dataclass
class Target:
    """A collection that gets labels.

    Args:
        dataset: texts and judgements.
        folder: where labels are written.
        split: whose labels.
        labels: all so far, in the order in which they were given.
    """

    dataset: Dataset
    folder: Path
    split: str
    labels: list[Label]
    texts: Mapping[str, str] = field(init=False)

    def __post_init__(self) -> None:
        queries = self.dataset.test.queries
        self.texts = dict(zip(queries.ids, queries.texts, strict=True))

    def document(self, name: str) -> Document:
        """The document of an id.

        Raises:
            DatasetError: there is none.
        """
        [row] = self.dataset.corpus.rows([name]).tolist()
        if row < 0:
            raise DatasetError(f"{self.dataset.name} has no document {name!r}.")
        return self.dataset.corpus[row]

    def lock(self) -> FileLock:
        """Of the labels, against other processes that write them."""
        return FileLock(labels_file(self.folder, self.split).with_suffix(".lock"))

    def add(self, labels: Sequence[Label]) -> None:
        """Writes labels, whole or not at all; hold the lock.

        Raises:
            DatasetError: of a query or document that the collection does not have, or a grade beyond 3; names it.
        """
        self._check(labels)
        self.labels += labels
        write_labels(self.folder, self.labels, self.split)

    def people(self) -> list[str]:
        """Names of the people who judged, in the order of their first label."""
        return list(dict.fromkeys(label.judge for label in self.labels if label.kind == "person"))

    def _check(self, labels: Sequence[Label]) -> None:
        for label in labels:
            if label.query not in self.texts:
                raise DatasetError(
                    f"{self.dataset.name} has no query {label.query!r}: are these labels of another collection?"
                )
            if not 0 <= label.grade <= HIGHEST:
                raise DatasetError(f"grade {label.grade} of query {label.query!r}; grades are 0 to {HIGHEST}.")
        names = list(dict.fromkeys(label.document for label in labels))
        rows = self.dataset.corpus.rows(names)
        if names and (rows < 0).any():
            missing = names[int((rows < 0).argmax())]
            raise DatasetError(
                f"{self.dataset.name} has no document {missing!r}: are these labels of another collection?"
            )


def open_target(name: str, out: Path | None, context: Context) -> Target:
    """The collection to judge. One with labels, as `harness testset` makes, is written in place; another is copied.

    Args:
        name: of the dataset.
        out: folder of the copy; None for one with labels.
        context: data folders and cache.

    Raises:
        SettingError: it has no labels and no folder is named, or the folder is not empty.
        DatasetError: it cannot be read.
    """
    dataset = load_dataset(name, context)
    split = reported_split(dataset.name)
    if split is None:
        raise SettingError(f"{dataset.name} has folds; judge the collection itself: name it without them.")
    folder = made_folder(dataset.name, context)
    labels = None if folder is None else read_labels(labels_file(folder, split))
    if folder is not None and labels is not None and out is None:
        if digest(labels.qrels()) != digest(dataset.test.qrels):
            raise DatasetError(
                f"{labels_file(folder, split)} does not give the judgements of the qrels: was one of them "
                "changed by hand? Move the file away to start with the judgements of the qrels."
            )
        return Target(dataset, folder, split, list(labels.every))
    if out is None:
        raise SettingError(
            f"{dataset.name} has judgements of its own, which are never changed: name a folder for a copy with --out."
        )
    return _copied(dataset, out, split, context)


@contextlib.contextmanager
def locked(target: Target) -> Iterator[None]:
    """Holds the lock of a target, whose labels are read again: another process may have added some before it.

    Raises:
        SettingError: another process is writing labels.
    """
    lock = target.lock()
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise SettingError(f"another process is judging {target.folder}: end it first.") from None
    try:
        stored = read_labels(labels_file(target.folder, target.split))
        if stored is not None:
            target.labels[:] = stored.every
        yield
    finally:
        lock.release()


def _copied(dataset: Dataset, out: Path, split: str, context: Context) -> Target:
    """The copy in `out`, made if it is not there."""
    file = labels_file(out, split)
    known = read_labels(file)
    if known is None:
        if out.exists() and any(out.iterdir()):
            raise SettingError(f"{out} is not empty and has no labels; name another folder with --out.")
        write_collection(dataset, out, context)
        known = read_labels(file) or Labels(tuple(_given(dataset)))
        write_labels(out, known.every, split)
    elif not labels_of_splits(dataset.name, {split: dataset.test}, context):
        given = Labels(tuple(label for label in known.every if label.kind == "given"))
        if digest(given.qrels()) != digest(dataset.test.qrels):
            raise SettingError(
                f"{out} has labels of another collection than {dataset.name}, or its judgements were changed since; "
                "name another folder with --out."
            )
    return Target(dataset, out, split, list(known.every))


def _given(dataset: Dataset) -> Iterable[Label]:
    for query, grades in dataset.test.qrels.items():
        for document, grade in grades.items():
            yield Label(query, document, grade, GIVEN, "given")
