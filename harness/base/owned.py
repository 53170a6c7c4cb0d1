"""Files that a command may write again; a file of the same name that it did not write is never replaced."""

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


def unchanged(folder: Path, names: Iterable[str]) -> bool:
    """Whether all files of these names exist as `note_owned` has noted them."""
    own = _stamp(folder)
    return all(_is_own(folder, name, own) for name in names)


def check_owned(folder: Path, names: Iterable[str]) -> None:
    """Makes sure that writing files of these names replaces only files that `note_owned` has noted.

    Raises:
        RecordError: a file of such a name exists, and it is not as this package wrote it.
    """
    own = _stamp(folder)
    for name in names:
        path = folder / name
        if path.exists() and not _is_own(folder, name, own):
            raise RecordError(
                f"{path} exists and was not written by this command, or was changed since: it is left as it is. "
                "Name another folder, or move the file."
            )


def note_owned(folder: Path, names: Iterable[str]) -> None:
    """Notes files as written by this package, as they are now."""
    own = _stamp(folder) | {name: sha256(folder / name) for name in names}
    write_text(folder / STAMP, json.dumps(own, indent=1, sort_keys=True) + "\n")


def move_owned(part: Path, folder: Path, names: Iterable[str]) -> None:
    """Moves files into a folder and notes them; call `check_owned` before. If it is killed in the middle, files are
    missing, and none is there that is not noted: the command can be run again.

    Args:
        part: where they are now, on the same file system.
        folder: where they go.
        names: of the files, with slashes.
    """
    names = list(names)
    own = _stamp(folder) | {name: sha256(part / name) for name in names}
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).unlink(missing_ok=True)
    write_text(folder / STAMP, json.dumps(own, indent=1, sort_keys=True) + "\n")
    for name in names:
        (part / name).replace(folder / name)


def _is_own(folder: Path, name: str, own: dict[str, str]) -> bool:
    path = folder / name
    return name in own and path.is_file() and sha256(path) == own[name]


def _stamp(folder: Path) -> dict[str, str]:
    try:
        stamp: dict[str, str] = read_json(folder / STAMP, dict[str, str])
        return stamp
    except (OSError, ValueError):  # no stamp, or one that proves nothing
        return {}
