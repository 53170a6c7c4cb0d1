"""Errors of a disk that is full or cannot be written, with what to do."""

from __future__ import annotations

import contextlib
import errno
import re
from collections.abc import Iterator
from pathlib import Path

from harness.base.errors import CacheError, HarnessError

FULL = re.compile(
    r"no space left|failed writing file|disk quota|file too large|inline_container|\d+ requested and \d+ written",
    re.IGNORECASE,
)
"""Messages for a full disk or quota, also of libraries that write weights and arrays and raise errors of their own."""
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_CLOSED = (
    errno.EACCES,
    errno.EPERM,
    errno.EROFS,
    errno.EIO,
    errno.ENAMETOOLONG,
    errno.EMFILE,
    errno.ENOTDIR,
    errno.EEXIST,
)


def is_full(error: BaseException) -> bool:
    """Whether an error says that a disk or a quota is full."""
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno in _FULL
    return FULL.search(str(error)) is not None


@contextlib.contextmanager
def writing(root: Path) -> Iterator[None]:
    """Reports errors of writing to the cache in the block.

    Args:
        root: the cache's folder.

    Raises:
        CacheError: the disk is full, or something in the folder cannot be written.
    """
    try:
        yield
    except HarnessError:
        raise
    except Exception as error:
        if is_full(error):
            raise CacheError(
                f"no space left for the cache {root} ({_details(error)}): free some space, remove old entries with "
                "`harness cache gc --max-size`, or name another folder with --cache-dir or HARNESS_CACHE. Finished "
                "entries are still there."
            ) from error
        if isinstance(error, OSError) and error.errno in _CLOSED and _is_in(error, root):
            raise CacheError(
                f"the cache {root} cannot be written ({_details(error)}): fix the permissions or the disk, or name "
                "another folder with --cache-dir or HARNESS_CACHE."
            ) from error
        raise


def _is_in(error: OSError, root: Path) -> bool:
    """Whether an error is about a file in a folder; one without a file name may be."""
    named = [name for name in (error.filename, error.filename2) if isinstance(name, str)]
    return not named or any(Path(name).absolute().is_relative_to(root.absolute()) for name in named)


def _details(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename}" if error.filename else error.strerror
    return " ".join(str(error).split())[:200]
