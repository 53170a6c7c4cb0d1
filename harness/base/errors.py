"""Errors; their messages say what to do next.

Every error a user can cause is a `HarnessError`; its message names the thing, the place and the remedy. Anything else
that escapes is a bug.
"""

from __future__ import annotations

import difflib
import errno
import shutil
import traceback
from collections.abc import Iterable
from pathlib import Path
from typing import Any


class HarnessError(Exception):
    """Base of all errors a user can fix. `str(error)` is one paragraph that says what to do next."""

    def __reduce__(self) -> tuple[Any, ...]:  # else a class with other arguments could not be unpickled
        return _restored, (type(self), self.args, self.__dict__.copy())


def _restored(cls: type[HarnessError], args: tuple[Any, ...], state: dict[str, Any]) -> HarnessError:
    error = cls.__new__(cls, *args)
    error.__dict__.update(state)
    return error


def error_message(error: Exception) -> str:
    """An error as a record or an outcome reports it: with its class, unless it is one of ours."""
    return str(error) if isinstance(error, HarnessError) else f"{type(error).__name__}: {error}"


def remedy_of(error: Exception) -> str:
    """Where an error that is not one of ours was raised; empty for ours, whose message says what to do."""
    frames = traceback.extract_tb(error.__traceback__)
    if isinstance(error, HarnessError) or not frames:
        return ""
    return f"(raised in {Path(frames[-1].filename).name}, line {frames[-1].lineno}; the record has the traceback)"


def close_names(name: str, known: Iterable[str]) -> list[str]:
    """The known names that are most like a name, the best first; upper and lower case, `-` and `_` are the same."""
    plain: dict[str, str] = {}
    for each in known:
        plain.setdefault(_plain(each), each)
    wanted = _plain(name)
    if wanted in plain:
        return [plain[wanted]]
    close = difflib.get_close_matches(wanted, plain, n=3, cutoff=0.5)
    if wanted:
        close += [other for other in plain if other not in close and (wanted in other or other in wanted)][:3]
    return [plain[each] for each in close]


def _plain(name: str) -> str:
    return name.lower().replace("-", "_")


class UnknownName(HarnessError):
    """A name that does not exist; the message suggests the closest names.

    Args:
        kind: what the name should be, as `method`.
        name: the unknown one.
        known: names that exist; the message lists them.
        hint: what to do next, a sentence.
        also: further names to suggest if they are close; the message does not list them.
    """

    def __init__(self, kind: str, name: str, known: Iterable[str], hint: str = "", also: Iterable[str] = ()) -> None:
        known = sorted(known)
        close = close_names(name, [*known, *also])
        message = f"unknown {kind} {name!r}"
        message += f"; did you mean {' or '.join(map(repr, close))}?" if close else "."
        if known:
            message += f" Known: {', '.join(known)}."
        super().__init__(f"{message} {hint}".rstrip())
        self.name = name
        self.close = close


class SettingError(HarnessError):
    """A setting of a method, dataset or command that has the wrong type or a value out of range."""


class DatasetError(HarnessError):
    """A collection that is missing, malformed or inconsistent; names the file and the line where there is one."""


class ModelError(HarnessError):
    """A model that cannot be loaded or used: NaN in its output, a wrong dimension, a missing prompt."""


class EngineError(HarnessError):
    """A search engine in its own process that dies, does not answer or answers wrongly; has its last output."""


class CacheError(HarnessError):
    """A cache folder that cannot be read or written."""


class ComparisonError(HarnessError):
    """Rows that cannot be compared: not of the same queries, collection or measure."""


class NoScores(ComparisonError):
    """No requested row has scores: `skipped` if all of them were skipped, else one failed."""

    def __init__(self, message: str, *, skipped: bool = False) -> None:
        super().__init__(message)
        self.skipped = skipped


class RecordError(HarnessError):
    """A results folder or record that cannot be read or written."""


class Unavailable(HarnessError):
    """Something optional is missing (a library, a model, a download): the row is skipped and reported.

    `reason` says what is missing, `remedy` which command or setting provides it.
    """

    def __init__(self, reason: str, remedy: str) -> None:
        super().__init__(f"{reason} {remedy}")
        self.reason = reason
        self.remedy = remedy


_FREE = "Free some space, or name another folder"
_ALLOW = "Allow it, or name another folder"
_IN_THE_WAY = "Something else has this name: remove it, or name another place"
_REMEDIES = {
    errno.ENOSPC: f"{_FREE}; what was finished is stored.",
    errno.EDQUOT: f"{_FREE}; what was finished is stored.",
    errno.EFBIG: "A limit on the size of files is set (`ulimit -f`): raise it.",
    errno.EROFS: f"{_ALLOW}.",
    errno.EACCES: f"{_ALLOW}.",
    errno.EPERM: f"{_ALLOW}.",
    errno.ENAMETOOLONG: "The name is too long for this file system: choose a shorter one.",
    errno.ENOTDIR: f"{_IN_THE_WAY}.",
    errno.EISDIR: f"{_IN_THE_WAY}.",
    errno.EEXIST: f"{_IN_THE_WAY}.",
    errno.ELOOP: "Symbolic links form a loop: remove one.",
    errno.EIO: "The device reports an error: look at the system's log.",
    errno.EMFILE: "A limit on open files is set (`ulimit -n`): raise it.",
    errno.ENFILE: "The system has too many open files: close some.",
    errno.EINVAL: "It is a folder, a pipe or a device, or has no valid name: name a file.",
}


def storage_problem(error: OSError) -> str | None:
    """A message with the remedy for an error of a disk or a folder; None for any other error."""
    if isinstance(error, shutil.Error):  # of a copied folder: source, target and reason of each file
        _, target, why = error.args[0][0]
        return f"{target}: {why}. {_FREE}."
    remedy = _REMEDIES.get(error.errno or 0)
    if remedy is None:
        return None
    where = f"{error.filename2 or error.filename}: " if error.filename else ""
    return f"{where}{(error.strerror or 'it cannot be read or written').rstrip('.').lower()}. {remedy}"
