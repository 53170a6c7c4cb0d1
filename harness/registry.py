"""Rooms: a package is a registry, a file in it is an item, and the file's name is the item's name.

Listing names imports none of the items, so `harness list` and BM25 never import torch. An installed package adds items
through an entry point in the group named after the room (`harness.methods`), whose name is again the file's name.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import pkgutil
from functools import cache
from typing import Generic, TypeVar

from harness.errors import SettingError, UnknownName
from harness.values import Value

T = TypeVar("T", bound=Value)


class Room(Generic[T]):
    """The items of one plural room.

    Args:
        package: dotted name of the package, also the entry-point group.
        base: the room's contract; each file defines exactly one public subclass of it.
        noun: what an item is called in messages.
    """

    def __init__(self, package: str, base: type[T], noun: str) -> None:
        self.package = package
        self.base = base
        self.noun = noun

    def names(self) -> list[str]:
        """Names of all items, sorted, ours and those of installed packages; imports none of them."""
        return sorted({*_files(self.package), *_entry_points(self.package)})

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and normalised(name) in self.names()

    def get(self, name: str) -> type[T]:
        """The class behind a name. Hyphens and underscores are the same.

        Raises:
            UnknownName: no file and no entry point of that name; carries the closest ones.
        """
        key = normalised(name)
        if key in _files(self.package):
            module = importlib.import_module(f"{self.package}.{key}")
            found = [
                item
                for label, item in vars(module).items()
                if isinstance(item, type)
                and issubclass(item, self.base)
                and item.__module__ == module.__name__
                and not label.startswith("_")
            ]
            if len(found) != 1:
                raise TypeError(f"{module.__name__} must define exactly one public {self.base.__name__}, found {len(found)}")
            return found[0]
        entries = _entry_points(self.package)
        if key in entries:
            try:
                item = entries[key].load()
            except (ImportError, AttributeError) as error:
                raise SettingError(
                    f"the entry point {key!r} of group {self.package!r} cannot be loaded: {error}. "
                    "Mend or remove the package that installs it."
                ) from error
            if not (isinstance(item, type) and issubclass(item, self.base)) or item.name() != key:
                raise SettingError(
                    f"the entry point {key!r} of group {self.package!r} must name a {self.base.__name__} defined in a file "
                    f"called {key}.py; it names {entries[key].value!r}. Mend it in the package that installs it."
                )
            return item
        raise UnknownName(self.noun, name, self.names())

    def summary(self, name: str) -> str:
        """First line of the item's file, read without importing it; for listings."""
        key = normalised(name)
        if key not in _files(self.package):
            return f"from {_entry_points(self.package)[key].value}"
        spec = importlib.util.find_spec(self.package)
        assert spec is not None
        assert spec.submodule_search_locations is not None
        for place in spec.submodule_search_locations:
            try:
                with open(f"{place}/{key}.py", encoding="utf-8") as file:
                    return file.readline().strip().strip('"').strip()
            except FileNotFoundError:
                continue
        return ""


def normalised(name: str) -> str:
    """`cross-encoder` and `cross_encoder` are the same name."""
    return name.replace("-", "_")


@cache
def _files(package: str) -> frozenset[str]:
    spec = importlib.util.find_spec(package)
    if spec is None or spec.submodule_search_locations is None:
        raise ModuleNotFoundError(package)
    return frozenset(m.name for m in pkgutil.iter_modules(spec.submodule_search_locations) if not m.name.startswith("_"))


@cache
def _entry_points(package: str) -> dict[str, importlib.metadata.EntryPoint]:
    return {normalised(e.name): e for e in importlib.metadata.entry_points(group=package)}
