"""Files: atomic writes, and content hashes that are computed once for an unchanged file."""

from __future__ import annotations

import codecs
import contextlib
import errno
import hashlib
import json
import os
import re
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path


@contextlib.contextmanager
def replacing(path: Path, *, durable: bool = True) -> Iterator[Path]:
    """A temporary path to write to; it replaces `path` when the block succeeds and is removed when it fails.

    A reader sees the old file or the whole new one, never half of it, whatever kills the writer.

    Args:
        path: the file.
        durable: wait until the file is on the disk; not needed for what can be computed again.

    Raises:
        OSError: it cannot be written; names `path`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = _part(path)
    os.close(handle)
    part = Path(name)
    try:
        yield part
        if durable:
            with open(part, "rb") as file:
                os.fsync(file.fileno())
        share(part)
        part.replace(path)
    except OSError as error:  # a full disk is reported by the file object, which does not say of which file
        if error.errno is not None and error.filename in (None, name):
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise
    finally:
        part.unlink(missing_ok=True)


def _part(path: Path) -> tuple[int, str]:
    """An open temporary file in the same folder; its name has at most 255 bytes if the path's has."""
    try:
        return tempfile.mkstemp(prefix=f".{path.name[:60]}.", suffix=".part", dir=path.parent)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error


def share(path: Path) -> None:
    """Gives a temporary file or folder the mode of a new one; `tempfile` makes them readable only by their owner."""
    umask = os.umask(0)
    os.umask(umask)
    path.chmod((0o777 if path.is_dir() else 0o666) & ~umask)


def write_text(path: Path, text: str, *, durable: bool = True) -> None:
    """Writes a text file completely or not at all; `durable` as for `replacing`."""
    with replacing(path, durable=durable) as part:
        part.write_text(text, encoding="utf-8", newline="\n")


_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark is the beginning of this one
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


def encoding_of(head: bytes) -> tuple[str, int]:
    """The encoding that a byte order mark names, UTF-8 without one, and the length of the mark.

    Windows PowerShell's `>` writes UTF-16 with a mark.

    Args:
        head: the first four bytes of a file, or more.
    """
    return next(((name, len(mark)) for mark, name in _MARKS if head.startswith(mark)), ("utf-8", 0))


def there(test: Callable[[], bool]) -> bool:
    """`there(path.is_file)`: the result of the test; False for an impossible name, as one too long or with a NUL."""
    try:
        return test()
    except (OSError, ValueError):
        return False


def check_regular(path: Path) -> None:
    """Raises OSError for a pipe, device or folder, which could block or never end; a missing path is left to `open`."""
    if path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "it is not a regular file", str(path))


def read_text(path: Path) -> str:
    """A text file as a whole: UTF-8 with or without a byte order mark, UTF-16 and UTF-32 with one; line ends become LF.

    Raises:
        OSError: it cannot be read, or is not a regular file.
        UnicodeDecodeError: it is not text in that encoding.
    """
    check_regular(path)
    raw = path.read_bytes()
    encoding, mark = encoding_of(raw)
    return raw[mark:].decode(encoding).replace("\r\n", "\n").replace("\r", "\n")


def slug(name: str) -> str:
    """A name as one readable path component: letters, digits, `.`, `_`, `+` and `-` stay; the rest becomes `-`."""
    return (
        re.sub(r"-{2,}", "-", re.sub(r"[^A-Za-z0-9._+-]+", "-", name.replace(">>", "-then-"))).strip("-.") or "unnamed"
    )


def sha256(path: Path) -> str:
    """SHA-256 of a file's bytes, hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class HashMemo:
    """SHA-256 of files, remembered by path, size and times of change, so that a large unchanged file is read once.

    Both times count: archives that are built reproducibly give all their files one time of modification.

    Args:
        folder: of the memo, with one small file per hashed file.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def sha256(self, path: Path) -> str:
        """The hash; computed only if the size or the times of change differ from the remembered ones."""
        memo, stamp = self._memo(path)
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            noted = json.loads(memo.read_text(encoding="utf-8"))
            if noted["file"] == stamp:
                return str(noted["sha256"])
        value = sha256(path.resolve())
        self._note(memo, stamp, value)
        return value

    def remember(self, path: Path, value: str) -> None:
        """Notes the hash of a file that was just written, so that it need not be read again."""
        self._note(*self._memo(path), value)

    def _note(self, memo: Path, stamp: list[str | int], value: str) -> None:
        with contextlib.suppress(OSError):  # a read-only cache costs time, not correctness
            write_text(memo, json.dumps({"file": stamp, "sha256": value}), durable=False)

    def _memo(self, path: Path) -> tuple[Path, list[str | int]]:
        """The file with the hash, and what changes when the hashed file does."""
        path = path.resolve()
        stat = path.stat()
        name = hashlib.sha256(os.fsencode(path)).hexdigest()[:32]
        return self._folder / f"{name}.json", [str(path), stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns]
