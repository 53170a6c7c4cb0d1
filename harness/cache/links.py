"""The content of a folder, without following links."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterable, Mapping
from pathlib import Path

Files = Mapping[tuple[int, int], int]
"""Device and inode of a file → its bytes: a file with several names counts once."""


def is_folder(path: Path) -> bool:
    """Whether a path is a folder and not a link to one."""
    try:
        return stat.S_ISDIR(path.lstat().st_mode)
    except OSError:
        return False


def is_file(path: Path) -> bool:
    """Whether a path is a regular file: no link, pipe or device."""
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except OSError:
        return False


def inside(folder: Path) -> list[Path]:
    """The paths in a folder, sorted; empty if it cannot be read."""
    with contextlib.suppress(OSError):
        return sorted(folder.iterdir())
    return []


def stats(path: Path) -> list[os.stat_result]:
    """`lstat` of a file, or of all files in a folder; files that another process removes meanwhile are left out."""
    paths = [path]
    if is_folder(path):
        paths = [Path(folder) / name for folder, _, names in os.walk(path) for name in names]
    results = []
    for file in paths:
        with contextlib.suppress(OSError):
            if is_file(file):
                results.append(file.lstat())
    return results


def files(results: Iterable[os.stat_result]) -> Files:
    """The sizes by inode."""
    return {(result.st_dev, result.st_ino): result.st_size for result in results}
