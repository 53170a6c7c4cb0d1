"""Standard output and standard error that are closed, full, or of an encoding that lacks what the harness writes."""

from __future__ import annotations

import codecs
import contextlib
import errno
import os
import sys
from typing import IO

STANDARD_OUTPUT = "standard output"
ASCII = {"–": "-", "−": "-", "—": "-", "→": "->", "…": "...", "×": "x", "·": "-", "≥": ">=", "≤": "<=", "α": "alpha"}
"""What is written for a character that a stream cannot encode; of others their escape."""


def discard(stream: IO[str] | None) -> None:
    """Lets a stream that fails write to nowhere, so that Python's own flush at the end does not fail again."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        assert stream is not None
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


def prepare_streams() -> None:
    """Lets standard output and error write what their encoding lacks: `–` as `-` in ASCII, anything else as its
    escape.
    """
    codecs.register_error("harness.spelled", _spelled)
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError, ValueError):  # closed, or not a stream of Python's own
            stream.reconfigure(errors="harness.spelled")  # type: ignore[union-attr]


def finish_output() -> None:
    """Writes what standard output still holds.

    Raises:
        OSError: it cannot be written; named as `STANDARD_OUTPUT`. A reader that is gone is no error.
    """
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError as error:
        discard(sys.stdout)
        if error.errno != errno.EPIPE:
            raise OSError(error.errno, error.strerror, STANDARD_OUTPUT) from error


def _spelled(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    part = error.object[error.start : error.end]
    return "".join(ASCII.get(c, c.encode("ascii", "backslashreplace").decode()) for c in part), error.end
