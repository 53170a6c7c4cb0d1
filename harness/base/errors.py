"""What can go wrong, in words that say what to do next.

Every error a user can cause is a `HarnessError`; its message names the thing, the place and the remedy. Anything else
that escapes is a defect of ours.
"""

from __future__ import annotations

import difflib
import errno
import shutil
from collections.abc import Iterable
from typing import Any


class HarnessError(Exception):
    """Base of all errors a user can mend. `str(error)` is one paragraph that says what to do next."""

    def __reduce__(self) -> tuple[Any, ...]:  # else an error with arguments of its own would not cross processes
        return _as_it_was, (type(self), self.args, self.__dict__.copy())


def _as_it_was(cls: type[HarnessError], args: tuple[Any, ...], state: dict[str, Any]) -> HarnessError:
    error = cls.__new__(cls, *args)
    error.__dict__.update(state)
    return error


def error_message(error: Exception) -> str:
    """An error as a record or an outcome reports it: with its class, unless it is one of ours."""
    return str(error) if isinstance(error, HarnessError) else f"{type(error).__name__}: {error}"


def close_names(name: str, known: Iterable[str]) -> list[str]:
    """The known names that are most like a name, the best first; upper and lower case, `-` and `_` are the same."""
    plain: dict[str, str] = {}
    for each in known:
        plain.setdefault(_plain(each), each)
    asked = _plain(name)
    close = difflib.get_close_matches(asked, plain, n=3, cutoff=0.5)
    close += [k for k in plain if k not in close and asked and (asked in k or k in asked)][:3]
    return [plain[k] for k in ([asked] if asked in plain else close)]


def _plain(name: str) -> str:
    return name.lower().replace("-", "_")


class UnknownName(HarnessError):
    """A name that no room, row, split or setting answers to; carries the closest names.

    Args:
        kind: what the name should be, as `method`.
        name: as it was given.
        known: names that exist; they are listed.
        hint: what to do next, a sentence.
        also: further names to suggest if they are close; they are not listed.
    """

    def __init__(self, kind: str, name: str, known: Iterable[str], hint: str = "", also: Iterable[str] = ()) -> None:
        known = sorted(known)
        close = close_names(name, [*known, *also])
        asked = f"; did you mean {' or '.join(map(repr, close))}?" if close else "."
        listed = f" Known: {', '.join(known)}." if known else ""
        super().__init__(f"unknown {kind} {name!r}{asked}{listed}{' ' + hint if hint else ''}")
        self.name = name
        self.close = close


class SettingError(HarnessError):
    """A setting of a method, dataset or command that has the wrong type or a value out of range."""


class DatasetError(HarnessError):
    """A collection that is missing, malformed or inconsistent; names the file and the line where there is one."""


class ModelError(HarnessError):
    """A model that loads or answers wrongly: not a number, wrong dimension, no prompt where its family needs one."""


class EngineError(HarnessError):
    """A search engine in a process of its own that dies, keeps silent or answers wrongly; carries the last it said."""


class CacheError(HarnessError):
    """A cache folder that cannot be read or written."""


class ComparisonError(HarnessError):
    """Rows that cannot be compared: not of the same queries, collection or measure."""


class NoFigures(ComparisonError):
    """Rows asked for that gave no figures: `skipped` where all of them were, else one failed."""

    def __init__(self, message: str, *, skipped: bool = False) -> None:
        super().__init__(message)
        self.skipped = skipped


class RecordError(HarnessError):
    """A results folder or record that cannot be read or written."""


class Unavailable(HarnessError):
    """Something optional is absent (a library, a model, a download): the row is skipped by name, never replaced in
    silence.

    `reason` says what is missing, `remedy` the command or setting that would bring it.
    """

    def __init__(self, reason: str, remedy: str) -> None:
        super().__init__(f"{reason} {remedy}")
        self.reason = reason
        self.remedy = remedy


_FREE = "Free some space, or name another folder"
_ALLOW = "Allow it, or name another folder"
_IN_THE_WAY = "Something else is in the way: remove it, or name another place"
_REMEDIES = {
    errno.ENOSPC: f"{_FREE}; what was finished is stored.",
    errno.EDQUOT: f"{_FREE}; what was finished is stored.",
    errno.EFBIG: "A limit on the size of files is set (`ulimit -f`): raise it.",
    errno.EROFS: f"{_ALLOW}.",
    errno.EACCES: f"{_ALLOW}.",
    errno.EPERM: f"{_ALLOW}.",
    errno.ENAMETOOLONG: "The file system takes no name of this length: choose a shorter one.",
    errno.ENOTDIR: f"{_IN_THE_WAY}.",
    errno.EISDIR: f"{_IN_THE_WAY}.",
    errno.EEXIST: f"{_IN_THE_WAY}.",
    errno.ELOOP: "Links lead to each other: remove one.",
    errno.EIO: "The device reports an error: look at the system's log.",
    errno.EMFILE: "A limit on open files is set (`ulimit -n`): raise it.",
    errno.ENFILE: "The system has too many open files: close some.",
    errno.EINVAL: "It is a folder, a pipe or a device, or has no valid name: name a file.",
}


def storage_problem(error: OSError) -> str | None:
    """What a disk or a folder refuses, in words with the remedy; None of an error that is no matter of disks and
    folders.
    """
    if isinstance(error, shutil.Error):  # of a copied folder: source, target and reason of each file
        _, target, why = error.args[0][0]
        return f"{target}: {why}. {_FREE}."
    remedy = _REMEDIES.get(error.errno or 0)
    if remedy is None:
        return None
    where = f"{error.filename2 or error.filename}: " if error.filename else ""
    return f"{where}{(error.strerror or 'it cannot be read or written').rstrip('.').lower()}. {remedy}"
