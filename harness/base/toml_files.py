"""TOML with lines: a table, and the line of each of its keys."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.base.errors import SettingError
from harness.base.files import read_text

Key = str | int
"""A key of a table, or a number in a list of tables, from 0."""


@dataclass(frozen=True)
class File:
    """A TOML file that was read.

    Args:
        path: of the file.
        text: its content.
        data: the table.
    """

    path: Path
    text: str
    data: Mapping[str, Any]

    def where(self, *keys: Key) -> str:
        """`sweep.toml, line 7`: the line of a key, else of the table that should have it; else the file."""
        for length in range(len(keys), 0, -1):
            line = self._line(keys[:length])
            if line:
                return f"{self.path.name}, line {line}"
        return self.path.name

    def _line(self, keys: tuple[Key, ...]) -> int:
        """The first line of the statement that defines a key; 0 if none does.

        tomllib reports no lines. It is the shortest run of lines from the start that can be read and has the key; the
        statement begins after the run before it that could be read.
        """
        lines = self.text.split("\n")  # and at no other character: TOML's strings may hold them
        whole = 0
        for end in range(1, len(lines) + 1):
            try:
                table: Any = tomllib.loads("\n".join(lines[:end]))
            except tomllib.TOMLDecodeError:
                continue
            try:
                for key in keys:
                    table = table[key]
            except (KeyError, IndexError, TypeError):
                whole = end
                continue
            return whole + 1
        return 0

    def fault(self, problem: str, *keys: Key) -> SettingError:
        """An error that names the line."""
        return SettingError(f"{self.where(*keys)}: {problem}")

    def only(self, known: Iterable[str], *keys: Key) -> None:
        """Refuses keys that a table must not have, with the closest that it may.

        Args:
            known: what it may have.
            keys: which table; none for the file's own.

        Raises:
            SettingError: names the line.
        """
        table: Any = self.data
        for key in keys:
            table = table[key]
        known = list(known)
        for name in table:
            if name not in known:
                close = difflib.get_close_matches(name, known, n=1, cutoff=0.4)
                meant = f"; did you mean {close[0]!r}?" if close else "."
                raise self.fault(f"unknown key {name!r}{meant} Known here: {', '.join(known)}.", *keys, name)


def read(path: Path) -> File:
    """Reads a TOML file.

    Raises:
        SettingError: it does not exist, or is no TOML; names the line.
    """
    try:
        text = read_text(path)
        return File(path, text, tomllib.loads(text))
    except OSError as error:
        raise SettingError(f"{path} cannot be read ({error.strerror or error}).") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise SettingError(f"{path} is not valid TOML: {error}.") from error
