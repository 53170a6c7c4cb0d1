"""Lines of a text file with their numbers, and the faults on them: the only reader of files with lines.

Corpus, queries, topics, judgements and runs are read here, so that all of them take the same encodings, line ends and
archives. Every reader takes a `report`: a loader stops at the first fault (`refuse`), `harness.datacheck.collection`
collects them all. Lines are split in bytes and decoded one by one, so that line numbers are those of the file.
"""

from __future__ import annotations

import codecs
import gzip
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from harness.base.errors import DatasetError
from harness.base.files import check_regular, encoding_of
from harness.base.memory import size

CHUNK = 1 << 18
LINES_PER_STEP = 1024
LONGEST = 64 << 20
"""Bytes of the longest line that is read; a small archive may unpack to a line of any length."""

_GZIP = b"\x1f\x8b"
_OTHERS = {
    b"PK\x03\x04": "a zip archive",
    b"PAR1\x15": "a Parquet file",
    b"ARROW1\0\0": "an Arrow file",
}
_COMPRESSED = {
    b"BZh": "bzip2",
    b"\xfd7zXZ": "xz",
    b"\x5d\0\0": "lzma",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"\x04\x22\x4d\x18": "lz4",
    b"\x1f\x9d": "compress",
}


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
"""Called with each fault; the reader goes on with the next line if it returns."""


def refuse(fault: Fault) -> None:
    """The policy of loaders: stop at the first fault.

    Raises:
        DatasetError: always.
    """
    raise DatasetError(str(fault))


def lines(
    path: Path,
    report: OnFault = refuse,
    advance: Callable[[int], None] | None = None,
    longest: int = LONGEST,
    remedy: str = "is there one record on each line?",
) -> Iterator[tuple[int, str]]:
    r"""The lines of a file with their numbers from 1, without line end; blank ones are left out.

    A file is UTF-8 with or without a byte order mark, or UTF-16 or UTF-32 with one (Windows PowerShell's `>`), plain or
    gzip, whatever its name. A line ends in `\n`, `\r\n` or `\r`, as in Python's text mode, and at no other character.

    Args:
        path: the file.
        report: called for a file that cannot be opened, lines that are not text or too long, and a truncated archive.
        advance: called now and then with the number of bytes that were read.
        longest: bytes of the longest line; a longer one ends the reading.
        remedy: what to do about a line that is too long.
    """
    try:
        check_regular(path)
        raw = open(path, "rb")  # noqa: SIM115 (closed below; a `with` would hide that only opening is guarded)
    except OSError as error:
        report(Fault("unreadable", path, 0, f"cannot be read ({error.strerror}); check the path and its permissions."))
        return
    with raw:
        head = raw.read(8)
        raw.seek(0)
        if wrong := _not_text(path, head):
            report(Fault("archive", path, 0, wrong))
            return
        cut = _Cut(gzip.GzipFile(fileobj=raw) if head.startswith(_GZIP) else raw, longest)
        reached = 0
        try:
            for number, line in cut:
                if advance and number % LINES_PER_STEP == 0:
                    before, reached = reached, raw.tell()
                    advance(reached - before)
                try:
                    text = _decoded(line, cut.encoding).rstrip("\r\n")
                except _NotText as error:
                    report(Fault("encoding", path, number, str(error)))
                    continue
                if text.strip():
                    yield number, text
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            report(
                Fault("archive", path, cut.number, f"the gzip file is damaged or cut short ({error}); get it again.")
            )
        except UnicodeDecodeError as error:
            claim = f"the file is not {cut.encoding.upper()} as its byte order mark says ({error.reason})"
            report(Fault("encoding", path, cut.number + 1, f"{claim}; write the file again as UTF-8."))
        except _PackedInside as error:
            report(Fault("archive", path, 0, str(error)))
        except _TooLong:
            report(Fault("line-too-long", path, cut.number + 1, f"the line is longer than {size(longest)}; {remedy}"))
        if advance:
            advance(raw.tell() - reached)


class _NotText(Exception):
    """The bytes of a line are not text."""


class _PackedInside(Exception):
    """The content of a gzip file is compressed again, or an archive."""


class _TooLong(Exception):
    """A line is longer than allowed."""


class _Cut:
    """Cuts a stream of bytes of any encoding into lines in UTF-8, with their line ends.

    Args:
        stream: read in chunks.
        longest: bytes of the longest line.

    Attributes:
        number: of the last line that was returned.
        encoding: of the stream.
    """

    def __init__(self, stream: IO[bytes] | gzip.GzipFile, longest: int) -> None:
        self.number, self.encoding = 0, "utf-8"
        self._stream, self._longest = stream, longest
        self._within = isinstance(stream, gzip.GzipFile)

    def __iter__(self) -> Iterator[tuple[int, bytes]]:
        parts: list[bytes] = []
        length, waiting = 0, b""
        for chunk in self._chunks():
            chunk = waiting + chunk
            # A carriage return at the end of a chunk may be half of a line end: keep it for the next chunk.
            waiting = b"\r" if chunk.endswith(b"\r") else b""
            for piece in chunk[: len(chunk) - len(waiting)].splitlines(keepends=True):
                parts.append(piece)
                length += len(piece)
                if length > self._longest:
                    raise _TooLong
                if piece.endswith((b"\n", b"\r")):
                    yield self._next(parts)
                    parts, length = [], 0
        if parts or waiting:
            yield self._next([*parts, waiting])

    def _next(self, parts: list[bytes]) -> tuple[int, bytes]:
        self.number += 1
        return self.number, parts[0] if len(parts) == 1 else b"".join(parts)

    def _chunks(self) -> Iterator[bytes]:
        chunk = self._stream.read(CHUNK)
        if wrong := self._within and _inner(chunk):
            raise _PackedInside(wrong)
        self.encoding, mark = encoding_of(chunk)
        chunk = chunk[mark:]
        if self.encoding == "utf-8":
            while chunk:
                yield chunk
                chunk = self._stream.read(CHUNK)
            return
        # Half a surrogate pair passes here, and is reported as an error of its line later.
        decoder = codecs.getincrementaldecoder(self.encoding)("surrogatepass")
        while chunk:
            yield decoder.decode(chunk).encode("utf-8", "surrogatepass")
            chunk = self._stream.read(CHUNK)
        yield decoder.decode(b"", final=True).encode("utf-8", "surrogatepass")


def _not_text(path: Path, head: bytes) -> str:
    """Why a file cannot be read as lines, by its first bytes, and what to do; empty if it can."""
    if path.suffix == ".gz" and head and not head.startswith(_GZIP):
        return "the name ends in .gz, but the file is not gzip or is damaged: rename it, or get it again."
    return _packed(head)


def _packed(head: bytes) -> str:
    """What to do about content that is compressed or an archive, by its first bytes; empty for other content."""
    if program := next((name for magic, name in _COMPRESSED.items() if head.startswith(magic)), ""):
        return f"this is compressed with {program}; decompress it first (only plain text and gzip can be read)."
    other = next((name for magic, name in _OTHERS.items() if head.startswith(magic)), "")
    return f"this is {other}, not text; unpack or convert it to plain text or gzip." if other else ""


def _inner(head: bytes) -> str:
    """As `_packed`, for the content of a gzip file."""
    if head.startswith(_GZIP):
        return "this is compressed with gzip twice; decompress it once (`gunzip`)."
    problem = _packed(head)
    return f"inside gzip, {problem}" if problem else ""


def _decoded(line: bytes, encoding: str) -> str:
    """The text of a line in UTF-8. Raises _NotText with what is wrong and what to do."""
    if (place := line.find(b"\0")) >= 0:
        convert = "convert UTF-16 without a byte order mark with `iconv -f utf-16le -t utf-8`"
        raise _NotText(
            f"a NUL byte at byte {place + 1} of the line, which is not text: write the file again, or {convert}."
        )
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError as error:
        if encoding != "utf-8":
            problem = f"half of a surrogate pair, which is not {encoding.upper()} text; write the file again as UTF-8."
            raise _NotText(problem) from error
        where = f"byte 0x{line[error.start]:02x} at byte {error.start + 1} of the line"
        raise _NotText(
            f"not UTF-8 ({where}); convert the file, for example with `iconv -f latin1 -t utf-8`."
        ) from error
