"""Files that a command may write again: a file of the same name that somebody else put there is never replaced."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from harness.base.errors import RecordError
from harness.base.files import sha256, write_text
from harness.base.json_files import read_json

STAMP: Final = ".harness-files.json"
"""Next to the files: name → SHA-256 of each file as this package wrote it."""


def check_owned(folder: Path, names: Iterable[str]) -> None:
    """Makes sure that writing files of these names replaces nothing but what `note_owned` has noted.

    Raises:
        RecordError: a file of such a name exists, and it is not as this package wrote it.
    """
    own = _stamp(folder)
    for name in names:
        path = folder / name
        if path.exists() and own.get(name) != sha256(path):
            raise RecordError(
                f"{path} exists and was not written by this command, or was changed since: it is left as it is. "
                "Name another folder, or move the file."
            )


def note_owned(folder: Path, names: Iterable[str]) -> None:
    """Notes files as written by this package, as they are now."""
    own = _stamp(folder) | {name: sha256(folder / name) for name in names}
    write_text(folder / STAMP, json.dumps(own, indent=1, sort_keys=True) + "\n")


def _stamp(folder: Path) -> dict[str, str]:
    try:
        stamp: dict[str, str] = read_json(folder / STAMP, dict[str, str])
        return stamp
    except (OSError, ValueError):  # no stamp, or one that proves nothing
        return {}
