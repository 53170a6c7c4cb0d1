"""A folder as a user writes it, and its canonical name."""

from __future__ import annotations

import os
from pathlib import Path

from harness.base.files import there


def as_path(text: str) -> Path:
    r"""The path that a text names: `~` is the home folder, and `.\mine` is `./mine` if no such file exists."""
    path = Path(os.path.normpath(_home(text)))
    if "\\" in text and not os.path.lexists(path):
        other = Path(os.path.normpath(_home(text.replace("\\", "/"))))
        return other if os.path.lexists(other) or os.path.lexists(other.parent) else path
    return path


def _home(text: str) -> str:
    """With the home folder for `~`; unchanged if there is no home folder."""
    try:
        return str(Path(text).expanduser())
    except RuntimeError:
        return text


def names_a_path(text: str) -> bool:
    """Whether a dataset's name is a path: it begins like one, or it or its parent folder exists."""
    if text.startswith((".", "~", "/", "\\")) or Path(text).is_absolute():
        return True
    path = as_path(text)
    return bool(text) and (os.path.lexists(path) or (path.parent != Path() and there(path.parent.is_dir)))


def canonical(path: Path) -> str:
    """The canonical name of a folder: relative if inside the working folder, else absolute; links are followed."""
    real, working = Path(os.path.realpath(path)), Path(os.path.realpath("."))
    if not real.is_relative_to(working):
        return real.as_posix()
    name = real.relative_to(working).as_posix()
    return f"./{name}" if name.startswith("~") else name
