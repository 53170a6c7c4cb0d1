"""Sources of judged collections, one per file; a dataset is named `source/name[/split]`.

To add one: a file here with one frozen dataclass that derives from `Source`, and `tests/datasets/test_<file>.py`. Its
first line is what `harness list` shows. Files that begin with an underscore are machinery: `_collection` and the
readers below it turn a folder into a corpus, queries and judgements, `_splits` turns those into a `Dataset`, `_self`
holds the rule on queries that are documents.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from harness.base import redaction
from harness.base.errors import UnknownName
from harness.choices.room import Room, normalised
from harness.choices.value import Value
from harness.data.dataset import Dataset
from harness.datasets._paths import names_a_path
from harness.runtime.context import Context


class Source(Value, ABC):
    """Where collections come from."""

    room: ClassVar[str] = "harness.datasets"

    @abstractmethod
    def load(self, rest: str, context: Context) -> Dataset:
        """The collection named by what follows the source's name, for example `scifact` or `scifact/test`.

        Raises:
            DatasetError: it is there and cannot be used; names file and line.
            UnknownName: no such collection or split.
            Unavailable: it is not here and cannot be fetched; names the folders looked in and the command that would
                fetch it.
        """

    @abstractmethod
    def available(self, context: Context) -> list[str]:
        """Names of the collections that `load` would find without a download, for `harness list`."""

    def known(self, context: Context) -> list[str]:
        """Names to offer for one that is unknown: what is available, and what could be downloaded."""
        return self.available(context)

    def spelled(self, rest: str) -> str:
        """The one way to write what `rest` names, so that two ways to write a collection are not two collections.

        Raises:
            DatasetError: there is no such collection.
        """
        return rest

    def check(self, rest: str, context: Context) -> None:
        """Refuses a name of which it is known, without a download and without reading texts, that `load` would not find
        it.

        Raises:
            HarnessError: as `load`; a collection that may yet be found or fetched passes.
        """
        self.spelled(rest)

    def at_hand(self, rest: str, context: Context) -> bool:
        """Whether `load` would find the collection without a download."""
        return any(rest == name or rest.startswith(f"{name}/") for name in self.available(context))

    def folder(self, rest: str, context: Context) -> Path | None:
        """The folder with the collection's files, for `harness data check`; None where the source has no such folder.

        Raises:
            HarnessError: as `load`, where the collection is not to be had.
        """
        return None


SOURCES: Room[Source] = Room(__name__, Source, "dataset source")  # type: ignore[type-abstract]


def load_dataset(name: str, context: Context) -> Dataset:
    """Loads `source/name[/split]`; a path that exists, or begins with `.`, `~` or `/`, is short for `folder/<path>`.

    Raises:
        UnknownName: no such source, collection or split.
        DatasetError: malformed; names file and line.
        Unavailable: not on this machine and not to be fetched.
        SettingError: it has more documents than the memory of the run can number.
    """
    source, rest = split_name(name, context)
    key = spelled(name, context)
    dataset = context.ledger.once("load", f"load {name}", key, lambda: SOURCES.get(source)().load(rest, context))
    context.memory.require_documents(len(dataset.corpus), name)
    return dataset


def split_name(name: str, context: Context) -> tuple[str, str]:
    """`beir/scifact/test` → (`beir`, `scifact/test`).

    Raises:
        UnknownName: no such source; where a known collection has that name, its full name is offered.
    """
    source, _, rest = name.partition("/")
    if not name.startswith(".") and source in SOURCES:
        return source, rest
    if names_a_path(name):
        return "folder", name
    hint = "A dataset is named source/name[/split], or by the path of its folder, as ./my-folder."
    raise UnknownName("dataset", name, every_name(context), hint, also=_guesses(name, context))


def spelled(name: str, context: Context) -> str:
    """The one way to write a dataset: `./mine/`, `mine` and `/home/me/mine` are `folder/mine` in `/home/me`.

    Raises:
        UnknownName: no such source.
        DatasetError: a path to no folder.
        SettingError: it holds a key (`harness.base.redaction.check_name`).
    """
    source, rest = split_name(name, context)
    full = f"{normalised(source)}/{SOURCES.get(source)().spelled(rest)}"
    redaction.check_name(full, "dataset")
    return full


def check_name(name: str, context: Context) -> None:
    """Refuses a dataset's name early (`Source.check`), in the words of `load_dataset`.

    Raises:
        UnknownName: no such source, collection or split.
        DatasetError: a path to no folder, or to one that is no collection.
        SettingError: it holds a key.
    """
    source, rest = split_name(name, context)
    spelled(name, context)
    SOURCES.get(source)().check(rest, context)


def _guesses(name: str, context: Context) -> Iterator[str]:
    """Full names that a user may have meant: those that could be downloaded too, and the rest of the name in each
    source.
    """
    _, _, rest = name.partition("/")
    for source, kind in SOURCES.usable():
        yield from (f"{source}/{known}" for known in kind().known(context))
        if rest:
            yield f"{source}/{rest}"


def at_hand(name: str, context: Context) -> bool:
    """Whether a dataset can be loaded without a download.

    Raises:
        UnknownName: no such source.
    """
    source, rest = split_name(name, context)
    return SOURCES.get(source)().at_hand(rest, context)


def every_name(context: Context) -> Iterator[str]:
    """Full names of all collections that can be had without a download."""
    for source, kind in SOURCES.usable():
        for name in kind().available(context):
            yield f"{source}/{name}"


@dataclass(frozen=True)
class Places:
    """The folders that may hold collections, in the order they are looked in."""

    folders: tuple[Path, ...]

    @classmethod
    def of(cls, context: Context) -> Places:
        """`--data-dir`, then `HARNESS_DATA`, then the user's cache."""
        named = os.environ.get("HARNESS_DATA")
        return cls((*context.data_dirs, *([Path(named).expanduser()] if named else []), context.cache.root / "data"))
