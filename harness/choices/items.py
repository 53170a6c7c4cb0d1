"""The items of a room by name: the files of its package and the entry points of installed packages; imports none."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import pkgutil
from functools import cache
from typing import Any


def names(package: str) -> list[str]:
    """Names of all items of a room, sorted, with those of installed packages."""
    return sorted({*files(package), *entry_points(package)})


def normalised(name: str) -> str:
    """`cross-encoder` and `cross_encoder` are the same name."""
    return name.replace("-", "_")


@cache
def files(package: str) -> frozenset[str]:
    """Names of the public modules of a package."""
    spec = importlib.util.find_spec(package)
    if spec is None or spec.submodule_search_locations is None:
        raise ModuleNotFoundError(package)
    return frozenset(
        m.name for m in pkgutil.iter_modules(spec.submodule_search_locations) if not m.name.startswith("_")
    )


@cache
def entry_points(package: str) -> dict[str, tuple[importlib.metadata.EntryPoint, ...]]:
    """Name → its entry points, each once: a folder that is twice on `sys.path` lists its packages twice."""
    by_name: dict[str, dict[tuple[str, str], importlib.metadata.EntryPoint]] = {}
    for entry in _installed().select(group=package):
        by_name.setdefault(normalised(entry.name), {}).setdefault((package_of(entry), entry.value), entry)
    return {name: tuple(entries.values()) for name, entries in by_name.items()}


@cache
def _installed() -> Any:  # its class has another name from Python 3.12 on
    """The entry points of all groups: reading those of one room takes as long as reading all."""
    return importlib.metadata.entry_points()


def package_of(entry: importlib.metadata.EntryPoint) -> str:
    """Name and version of the package that an entry point belongs to."""
    return f"{entry.dist.name} {entry.dist.version}" if entry.dist is not None else entry.value.partition(".")[0]
