"""Sources of judged collections, one per file; a dataset is named `source/name[/split]`.

To add one: a file here with one frozen dataclass that derives from `Source`, and `tests/datasets/test_<file>.py`. Its
first line is what `harness list` shows. `harness.collection` has what sources share: reading the files of a folder, and
making a `Dataset` from them or from data in memory. Files here that begin with an underscore belong to one source.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from harness.base import redaction
from harness.base.errors import HarnessError, UnknownName
from harness.base.files import there
from harness.choices.items import normalised
from harness.choices.room import Room
from harness.choices.value import Value
from harness.collection.variant import Variant, split_variant, variant_of
from harness.data.dataset import Dataset
from harness.datasets._paths import as_path, names_a_path
from harness.runtime.context import Context


class Source(Value, ABC):
    """Where collections come from."""

    room: ClassVar[str] = "harness.datasets"
    may_be_passed_on: ClassVar[bool] = False
    """Whether the texts of its collections may be in a page that others get: one's own may, and those whose licence
    allows it; of collections that are free for research only a page has the ids.
    """

    may_be_made: ClassVar[bool] = False
    """Whether its collections may be folders that a user has made, with a manifest and labels next to the qrels."""

    @abstractmethod
    def load(self, rest: str, context: Context) -> Dataset:
        """The collection named by what follows the source's name, for example `scifact` or `scifact/test`.

        Raises:
            DatasetError: it exists and cannot be used; names file and line.
            UnknownName: no such collection or split.
            Unavailable: it is not on this machine and cannot be downloaded; names the folders that were searched and
                the command that downloads it.
        """

    @abstractmethod
    def available(self, context: Context) -> list[str]:
        """Names of the collections that `load` would find without a download, for `harness list`."""

    def known(self, context: Context) -> list[str]:
        """Names to offer for one that is unknown: what is available, and what could be downloaded."""
        return self.available(context)

    def spelled(self, rest: str) -> str:
        """The canonical form of `rest`, so that two ways to write one collection give one name.

        Raises:
            DatasetError: there is no such collection.
        """
        return rest

    def check(self, rest: str, context: Context) -> None:
        """Refuses a name that `load` would refuse, as far as that is known without downloading and reading texts.

        Raises:
            HarnessError: as `load`; a collection that may still be downloaded passes.
        """
        self.spelled(rest)

    def at_hand(self, rest: str, context: Context) -> bool:
        """Whether `load` would find the collection without a download."""
        return any(rest == name or rest.startswith(f"{name}/") for name in self.available(context))

    def folder(self, rest: str, context: Context) -> Path | None:
        """The folder with the collection's files, for `harness data check`; None if the source has no such folder.

        Raises:
            HarnessError: as `load`, if the collection is not available.
        """
        return None


SOURCES: Room[Source] = Room(__name__, Source, "dataset source")  # type: ignore[type-abstract]


def load_dataset(name: str, context: Context) -> Dataset:
    """Loads `source/name[/split]`; a path that exists, or begins with `.`, `~` or `/`, is short for `folder/<path>`.

    A collection without a dev split gets one from train; the end of the name may say how, and may name
    folds (`harness.collection.variant`).

    Raises:
        UnknownName: no such source, collection or split.
        DatasetError: malformed; names file and line.
        Unavailable: not on this machine and cannot be downloaded.
        SettingError: the memory of the run is too small for the number of documents.
    """
    source, rest = split_name(name, context)
    key = spelled(name, context)

    def load() -> Dataset:
        return variant_of(SOURCES.get(source)().load(rest, context), key, _variant(name)[1], context)

    dataset = context.ledger.once("load", f"load {name}", key, load)
    context.memory.require_documents(len(dataset.corpus), name)
    return dataset


def split_name(name: str, context: Context) -> tuple[str, str]:
    """`beir/scifact/test` → (`beir`, `scifact/test`), without what the end of the name says about dev or folds.

    Raises:
        UnknownName: no such source; suggests the full name of a collection of that name.
    """
    name = _variant(name)[0]
    source, _, rest = name.partition("/")
    if not name.startswith(".") and source in SOURCES:
        return source, rest
    if names_a_path(name):
        return "folder", name
    hint = "Write source/name[/split], as beir/scifact, or the path of a folder, as ./my-folder."
    raise UnknownName("dataset", name, every_name(context), hint, also=_guesses(name, context))


def _variant(name: str) -> tuple[str, Variant]:
    """The name without its end that says how dev is cut or names folds, and what that says; a folder of that whole
    name is a folder.
    """
    base, variant = split_variant(name)
    if base != name and there(as_path(name.removeprefix("folder/")).is_dir):
        return name, Variant()
    return base, variant


def spelled(name: str, context: Context) -> str:
    """The canonical name of a dataset: `./mine/`, `mine` and `/home/me/mine` are `folder/mine` in `/home/me`.

    Raises:
        UnknownName: no such source.
        DatasetError: the path is not a folder.
        SettingError: it contains an API key (`harness.base.redaction.check_name`).
    """
    source, rest = split_name(name, context)
    full = f"{normalised(source)}/{SOURCES.get(source)().spelled(rest)}{_variant(name)[1]}"
    redaction.check_name(full, "dataset")
    return full


def check_name(name: str, context: Context) -> None:
    """Refuses a dataset's name early (`Source.check`), with the message of `load_dataset`.

    Raises:
        UnknownName: no such source, collection or split.
        DatasetError: the path is not a folder, or the folder is not a collection.
        SettingError: it contains an API key.
    """
    source, rest = split_name(name, context)
    spelled(name, context)
    SOURCES.get(source)().check(rest, context)


def _guesses(name: str, context: Context) -> Iterator[str]:
    """Full names that a user may have meant: known ones, downloadable ones too, and this name in each source."""
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


def may_be_passed_on(name: str, context: Context) -> bool:
    """Whether the texts of a dataset may be in a page that others get (`Source.may_be_passed_on`).

    Raises:
        UnknownName: no such source.
    """
    return SOURCES.get(split_name(name, context)[0]).may_be_passed_on


def made_folder(name: str, context: Context) -> Path | None:
    """The folder of a dataset, if it may have a manifest and labels; None if it is of another source or not here."""
    try:
        source, rest = split_name(name, context)
        kind = SOURCES.get(source)
        return kind().folder(rest, context) if kind.may_be_made and kind().at_hand(rest, context) else None
    except HarnessError:  # it is no longer there
        return None


def every_name(context: Context) -> Iterator[str]:
    """Full names of all collections that are available without a download."""
    for source, kind in SOURCES.usable():
        for name in kind().available(context):
            yield f"{source}/{name}"


@dataclass(frozen=True)
class Places:
    """The folders that may contain collections, in the order in which they are searched."""

    folders: tuple[Path, ...]

    @classmethod
    def of(cls, context: Context) -> Places:
        """`--data-dir`, then `HARNESS_DATA`, then the user's cache."""
        folders = list(context.data_dirs)
        if named := os.environ.get("HARNESS_DATA"):
            folders.append(Path(named).expanduser())
        return cls((*folders, context.cache.root / "data"))
