"""JSON from a folder that other programs may have written to: checked against a form when it is read.

A results folder is copied, edited, cut short by a full disk and filled by other programs. Reading it must not hang on a
named pipe, exhaust the stack on `[[[[…`, or return NaN and numbers of 400 digits to code that computes with them.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from harness.base.files import encoding_of

T = TypeVar("T")
LARGEST_FILE = 1 << 30
"""Size limit of a file in bytes."""
MARK = b"\xef\xbb\xbf"
"""UTF-8's byte order mark, which some editors put first."""
DEEPEST = 64
"""Greatest nesting of lists and objects."""
LARGEST_NUMBER = 2.0**63


def read_json(path: Path, form: Any = Any) -> Any:
    """The value in a file, of that form.

    Args:
        path: a regular file.
        form: a type that msgspec takes, as `dict[str, dict[str, float]]`; values of other types are refused, keys that
            a TypedDict does not name are kept.

    Raises:
        OSError: it cannot be read, or is not a file: a folder, a named pipe, a socket, a device.
        ValueError: it is not JSON in UTF-8 (or UTF-16 or UTF-32 with a mark), of another form, too deep, or holds
            numbers that are not finite or beyond 2⁶³.
    """
    data = read_regular(path)
    encoding, mark = encoding_of(data)
    return parse_json(data if encoding == "utf-8" else data[mark:].decode(encoding), form)


def decode_json(data: bytes, form: type[T]) -> T:
    """The value in JSON as a form of bounded types, as `dict[str, dict[str, float]]`; several times as fast as
    `parse_json`.

    Raises:
        ValueError: it is not JSON in UTF-8, of another form, or a number is not finite.
    """
    try:
        return msgspec.json.decode(data.removeprefix(MARK), type=form)
    except RecursionError:
        raise ValueError("its lists and objects are nested too deep") from None
    except msgspec.MsgspecError as error:
        raise ValueError(str(error)) from error


def parse_json(text: str | bytes, form: Any = Any) -> Any:
    """The same from text.

    Raises:
        ValueError: as of `read_json`.
    """
    try:
        value = msgspec.json.decode(
            text.removeprefix(MARK) if isinstance(text, bytes) else text.removeprefix(MARK.decode())
        )
    except RecursionError:
        raise ValueError("its lists and objects are nested too deep") from None
    except msgspec.MsgspecError as error:
        raise ValueError(str(error)) from error
    except UnicodeEncodeError as error:
        raise ValueError("it has characters that are not Unicode text") from error
    return checked(value, form)


def checked(value: Any, form: Any = Any) -> Any:
    """A value of JSON as it is, after a check.

    Raises:
        ValueError: of another form, too deep, or a number that is not finite or beyond 2⁶³; names the place.
    """
    _check_bounds(value)
    if form is not Any:
        try:
            msgspec.convert(value, type=form)
        except msgspec.MsgspecError as error:
            raise ValueError(str(error)) from error
    return value


def _check_bounds(value: Any) -> None:
    level, depth = [value], 0
    while level:
        depth += 1
        if depth > DEEPEST:
            raise ValueError(f"its lists and objects are nested more than {DEEPEST} deep")
        below: list[Any] = []
        for item in level:
            if isinstance(item, dict):
                below += item.values()
            elif isinstance(item, list):
                below += item
            elif isinstance(item, (int, float)) and not -LARGEST_NUMBER < item < LARGEST_NUMBER:  # true for NaN too
                raise ValueError("a number in it is not finite or has more than 18 digits")
        level = below


def read_regular(path: Path) -> bytes:
    """A regular file's bytes; opened so that a named pipe without a writer does not hang.

    Raises:
        OSError: it cannot be read, is not a file, or is larger than `LARGEST_FILE`.
    """
    with open(path, "rb", opener=_without_waiting) as file:
        found = os.fstat(file.fileno())
        if not stat.S_ISREG(found.st_mode):
            raise OSError(errno.EINVAL, "it is a folder, a pipe or a device, not a file", str(path))
        if found.st_size > LARGEST_FILE:
            raise OSError(errno.EFBIG, f"it is larger than {LARGEST_FILE >> 30} GiB", str(path))
        return file.read()


def _without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
