"""Rooms: a package is a registry, a file in it is an item, and the file's name is the item's name.

Listing names imports none of the items, so `harness list` and BM25 never import torch. An installed package adds items
through an entry point in the group named after the room (`harness.methods`), whose name is again the file's name. A
plug-in, one file of the user, adds items under the names of its classes (`harness.choices.plugins`).

If names clash, a file of ours wins over an entry point of its name, which is listed as hidden and never loaded; if two
packages give the same name, neither wins and the error names both. A package that fails does not affect the items of
others; the error of its own item names the package to repair.
"""

from __future__ import annotations

import dataclasses
import importlib
import importlib.metadata
import importlib.util
import logging
import types
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Generic, TypeVar

from harness.base.errors import HarnessError, SettingError, UnknownName
from harness.choices import plugins
from harness.choices.items import entry_points, files, names, normalised, package_of
from harness.choices.value import Value

T = TypeVar("T", bound=Value)
log = logging.getLogger(__name__)


class Room(Generic[T]):
    """The items of one plural room.

    Args:
        package: dotted name of the package, also the entry-point group.
        base: the room's contract; each file defines exactly one public subclass of it.
        noun: what an item is called in messages.
        joined: a value and items → the value of `value + item + …`; None if no item of the room follows a `+`.
    """

    def __init__(
        self, package: str, base: type[T], noun: str, joined: Callable[[Any, tuple[T, ...]], Value] | None = None
    ) -> None:
        self.package = package
        self.base = base
        self.noun = noun
        self.joined = joined

    def names(self) -> list[str]:
        """Names of all items, sorted, with those of installed packages and plug-ins; imports only plug-ins."""
        return sorted({*names(self.package), *plugins.items_of(self.package)})

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and normalised(name) in self.names()

    def get(self, name: str) -> type[T]:
        """The class behind a name. Hyphens and underscores are the same.

        Raises:
            UnknownName: no file and no entry point of that name; carries the closest names.
            SettingError: the installed package or plug-in of that name cannot be used, or two give it; names them.
        """
        key = normalised(name)
        if key in files(self.package):
            return self._defined_in(importlib.import_module(f"{self.package}.{key}"))
        entries, own = entry_points(self.package), plugins.items_of(self.package)
        if key in own:
            if key in entries:
                raise SettingError(
                    f"{plugins.place_of(own[key])}: the package {package_of(entries[key][0])} has a {self.noun} "
                    f"{key!r} too; rename the class."
                )
            return own[key]
        if key in entries:
            return self._load(key, entries[key])
        raise UnknownName(self.noun, name, self.names())

    def usable(self) -> Iterator[tuple[str, type[T]]]:
        """Name and class of every usable item; a warning says why one of an installed package is not.

        Errors in a file of ours are raised.
        """
        for name in self.names():
            try:
                item = self.get(name)
            except HarnessError as error:
                log.warning("%s", error)
                continue
            yield name, item

    def _defined_in(self, module: types.ModuleType) -> type[T]:
        """The one public item that a module of ours defines; imported ones do not count."""
        items = [
            item
            for label, item in vars(module).items()
            if not label.startswith("_")
            and isinstance(item, type)
            and issubclass(item, self.base)
            and item.__module__ == module.__name__
        ]
        if len(items) != 1:
            raise TypeError(
                f"{module.__name__} must define exactly one public {self.base.__name__}, found {len(items)}"
            )
        return items[0]

    def _load(self, key: str, entries: tuple[importlib.metadata.EntryPoint, ...]) -> type[T]:
        if len(entries) > 1:
            sources = " and ".join(f"{entry.value} of {package_of(entry)}" for entry in entries)
            raise SettingError(f"{self.noun} {key!r} is given by two packages, {sources}; remove one of them.")
        (entry,) = entries
        which = f"the entry point {key!r} of group {self.package!r}, of the package {package_of(entry)},"
        try:
            item = entry.load()
        except (Exception, SystemExit) as error:  # foreign code may fail in any way; listings go on without it
            kind = "" if isinstance(error, (ImportError, AttributeError)) else f"{type(error).__name__}: "
            raise SettingError(f"{which} cannot be loaded: {kind}{error}. Repair or remove that package.") from error
        if not (isinstance(item, type) and issubclass(item, self.base)) or item.name() != key:
            raise SettingError(
                f"{which} must name a subclass of {self.base.__name__} defined in a file called {key}.py; it names "
                f"{entry.value!r}. Repair or remove that package."
            )
        if not (dataclasses.is_dataclass(item) and getattr(item, "__dataclass_params__").frozen):  # noqa: B009
            raise SettingError(f"{which} must name a @dataclass(frozen=True). Repair or remove that package.")
        return item

    def summary(self, name: str) -> str:
        """For listings: the first paragraph of the docstring of the item's file, read without importing it; for an item
        of an installed package, where it is from; for one of a plug-in, of its class.
        """
        key = normalised(name)
        own = plugins.items_of(self.package).get(key)
        if own is not None:
            return f"{_first_paragraph((own.__doc__ or '').splitlines())} (plug-in {plugins.place_of(own)})".strip()
        foreign = entry_points(self.package).get(key, ())
        origin = " and ".join(f"{entry.value} ({package_of(entry)})" for entry in foreign)
        if key not in files(self.package):
            return f"from {origin}"
        hidden = f" (hides {origin})" if foreign else ""
        return f"{self._described(key)}{hidden}"

    def _described(self, key: str) -> str:
        spec = importlib.util.find_spec(self.package)
        assert spec is not None
        assert spec.submodule_search_locations is not None
        for place in spec.submodule_search_locations:
            try:
                with open(f"{place}/{key}.py", encoding="utf-8") as file:
                    return _first_paragraph(file)
            except FileNotFoundError:
                continue
        return ""


def _first_paragraph(lines: Iterable[str]) -> str:
    """The first paragraph of the docstring that a file begins with, in one line."""
    paragraph: list[str] = []
    for line in lines:
        words = line.strip().removeprefix('"""')
        if paragraph and not words:
            break
        paragraph.append(words.removesuffix('"""').strip())
        if words.endswith('"""'):
            break
    return " ".join(paragraph).strip()
