"""Where top-level modules come from: which belong to one installed package, and which are sources without a version."""

from __future__ import annotations

import contextlib
import functools
import importlib.metadata
import importlib.util
import site
import sys
import sysconfig
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Final

INSTALLED: Final = ("site-packages", "dist-packages")
"""Folders into which packages are installed."""


def places(top: str) -> tuple[Path, ...]:
    """The folders of a top-level package, or the file of a top-level module, without importing it; else empty."""
    loaded = sys.modules.get(top)
    if loaded is None:
        return _searched(top, tuple(sys.path))
    folders = tuple(map(Path, getattr(loaded, "__path__", ())))
    file = getattr(loaded, "__file__", None)
    return folders or ((Path(file),) if file else ())


def siblings(tops: Collection[str]) -> frozenset[str]:
    """All top-level modules of the installed packages to which some top-level modules belong."""
    owners = _owners() if tops else {}
    packages = {package for top in tops for package in owners.get(top, ())}
    return frozenset(top for top, by in owners.items() if packages & set(by))


def is_local(top: str) -> bool:
    """Whether a top-level module is a source outside of Python's library and of installed packages, as an editable
    install is.

    The version of an installed package identifies its code. A file in a checkout or next to a script has none.
    """
    if top in sys.stdlib_module_names:
        return False
    return any(not _is_installed(place, top) for place in places(top))


@functools.cache
def _searched(top: str, path: tuple[str, ...]) -> tuple[Path, ...]:
    """Where Python would import a module from; `path` is `sys.path`, by which the result is cached."""
    with contextlib.suppress(ImportError, ValueError, AttributeError):  # not a module's name, or a finder that fails
        spec = importlib.util.find_spec(top)
        if spec is not None:
            file = (Path(spec.origin),) if spec.has_location and spec.origin else ()
            return tuple(map(Path, spec.submodule_search_locations or ())) or file
    return ()


@functools.cache
def _is_installed(place: Path, top: str) -> bool:
    if any(part in INSTALLED for part in place.parts) or any(place.is_relative_to(folder) for folder in _folders()):
        return True
    return any(_is_wheel_at(package, place.parent) for package in _owners().get(top, ()))


def _is_wheel_at(package: str, folder: Path) -> bool:
    """Whether a package was installed into a folder of any name, as by `pip install --target`."""
    with contextlib.suppress(importlib.metadata.PackageNotFoundError):
        installed = importlib.metadata.distribution(package)
        is_wheel = installed.read_text("RECORD") is not None
        return is_wheel and Path(str(installed.locate_file(""))).resolve() == folder.resolve()
    return False


@functools.cache
def _folders() -> tuple[Path, ...]:
    names = ("stdlib", "platstdlib", "purelib", "platlib")
    folders = {path for name in names if (path := sysconfig.get_path(name))}
    return tuple(Path(path) for path in sorted(folders | {*site.getsitepackages(), site.getusersitepackages()}))


@functools.cache
def _owners() -> Mapping[str, list[str]]:
    return importlib.metadata.packages_distributions()
