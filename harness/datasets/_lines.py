"""Lines of a text file with their numbers, and the faults found on them.

Every reader takes a `report`: a loader refuses the first fault (`refuse`), `harness.checks` collects them all. Files are read in
binary and decoded line by line, so that the line named in a message is the line in the file.
"""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from harness.errors import DatasetError

LINES_PER_STEP = 1024


@dataclass(frozen=True)
class Fault:
    """Something wrong in a file.

    Args:
        code: short name of the kind of fault, as `json`.
        path: the file.
        line: number of the line, from 1; 0 for the file as a whole.
        message: what is wrong and what to do.
    """

    code: str
    path: Path
    line: int
    message: str

    def __str__(self) -> str:
        where = f"{self.path}, line {self.line}" if self.line else str(self.path)
        return f"{where}: {self.message}"


OnFault = Callable[[Fault], None]
"""Told of each fault; the reader goes on with the next line if it returns."""


def refuse(fault: Fault) -> None:
    """The loader's policy: the first fault ends the reading.

    Raises:
        DatasetError: always.
    """
    raise DatasetError(str(fault))


def lines(path: Path, report: OnFault = refuse, advance: Callable[[int], None] | None = None) -> Iterator[tuple[int, str]]:
    """The lines of a file, plain or gzip, with their numbers from 1, without line end; blank ones are left out.

    A byte order mark and Windows line ends are accepted.

    Args:
        path: `.gz` is unpacked on the way.
        report: told of a file that cannot be opened, of lines that are not UTF-8 and of an archive that is cut short.
        advance: told how many bytes of the file were read, now and then.
    """
    try:
        raw = open(path, "rb")  # noqa: SIM115 (closed below; a `with` would hide that only opening is guarded)
    except OSError as error:
        report(Fault("unreadable", path, 0, f"cannot be read ({error.strerror}); check the path and its permissions."))
        return
    with raw:
        stream: IO[bytes] = io.BufferedReader(gzip.GzipFile(fileobj=raw)) if path.suffix == ".gz" else raw
        number, told = 0, 0
        try:
            for number, line in enumerate(stream, 1):
                if advance and number % LINES_PER_STEP == 0:
                    place = raw.tell()
                    advance(place - told)
                    told = place
                if number == 1:
                    line = line.removeprefix(b"\xef\xbb\xbf")
                try:
                    text = line.decode("utf-8")
                except UnicodeDecodeError as error:
                    message = (
                        f"not UTF-8 (byte 0x{line[error.start]:02x} at byte {error.start + 1} of the line); "
                        "convert the file, for example with `iconv -f latin1 -t utf-8`."
                    )
                    report(Fault("encoding", path, number, message))
                    continue
                text = text.rstrip("\r\n")
                if text.strip():
                    yield number, text
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            report(Fault("archive", path, number, f"the gzip file is damaged or cut short ({error}); fetch it again."))
        if advance:
            advance(raw.tell() - told)
