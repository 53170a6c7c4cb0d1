"""Plug-ins for workers: a worker on this machine reads the same file, one elsewhere gets its source."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from harness.base.files import write_text
from harness.choices.plugins import VARIABLE, named_files

FOLDER: Final = "plugins"
"""Folder of a worker's cache with the plug-ins that the worker's machine lacks."""


def carried_plugins() -> tuple[tuple[str, str], ...]:
    """Path and source of every plug-in of this process.

    Raises:
        SettingError: the table `[tool.harness]` of `pyproject.toml` cannot be read.
    """
    return tuple((str(path), path.read_text(encoding="utf-8")) for path in named_files() if path.is_file())


def use_carried_plugins(plugins: Sequence[tuple[str, str]], cache: Path) -> None:
    """Names the plug-ins in this process; one whose file is absent or different here is written into the cache.

    Args:
        plugins: path and source of each.
        cache: folder of this process's cache.
    """
    places = []
    for path, source in plugins:
        place = Path(path)
        if not place.is_file() or place.read_text(encoding="utf-8", errors="replace") != source:
            digest = hashlib.sha256(source.encode()).hexdigest()[:16]
            place = cache / FOLDER / digest / place.name
            if not place.is_file():
                write_text(place, source)
        places.append(str(place))
    if places:
        os.environ[VARIABLE] = os.pathsep.join(places)
