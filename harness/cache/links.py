"""What lies where in a folder, looked at without following a link."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterable, Mapping
from pathlib import Path

Files = Mapping[tuple[int, int], int]
"""Device and inode of a file → its bytes: a file with several names counts once."""


def is_folder(path: Path) -> bool:
    """Whether a path is a folder, and no link to one."""
    try:
        return stat.S_ISDIR(path.lstat().st_mode)
    except OSError:
        return False


def is_file(path: Path) -> bool:
    """Whether a path is an ordinary file: no link to one, no pipe, no device."""
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except OSError:
        return False


def inside(folder: Path) -> list[Path]:
    """What lies in a folder, sorted; nothing where it cannot be read."""
    with contextlib.suppress(OSError):
        return sorted(folder.iterdir())
    return []


def stats(path: Path) -> list[os.stat_result]:
    """Of a file, or of all files in a folder; what another process takes away meanwhile is left out."""
    found = []
    for file in [Path(at) / name for at, _, names in os.walk(path) for name in names] if is_folder(path) else [path]:
        with contextlib.suppress(OSError):
            if is_file(file):
                found.append(file.lstat())
    return found


def files(found: Iterable[os.stat_result]) -> Files:
    """The same by inode."""
    return {(held.st_dev, held.st_ino): held.st_size for held in found}
