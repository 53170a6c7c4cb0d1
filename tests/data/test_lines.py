from __future__ import annotations

import bz2
import gzip
import lzma
import os
import tracemalloc
from pathlib import Path

import pytest

from harness.base.errors import DatasetError
from harness.data.lines import Fault, lines


def written(tmp_path: Path, data: bytes, name: str = "a.txt") -> Path:
    path = tmp_path / name
    path.write_bytes(gzip.compress(data, mtime=0) if name.endswith(".gz") else data)
    return path


@pytest.mark.parametrize("name", ["a.txt", "a.txt.gz"])
def test_line_ends_mark_and_blank_lines(tmp_path: Path, name: str) -> None:
    path = written(tmp_path, b"\xef\xbb\xbfone\r\n\n  \ntwo\nthr\xc3\xa9e", name)
    assert list(lines(path)) == [(1, "one"), (4, "two"), (5, "thrée")]


def test_wrong_encoding_names_the_line_and_the_others_are_read(tmp_path: Path) -> None:
    path = written(tmp_path, b"one\ntw\xe9\nthree\n")
    with pytest.raises(DatasetError, match=r"a\.txt, line 2: not UTF-8 \(byte 0xe9 at byte 3"):
        list(lines(path))
    faults: list[Fault] = []
    assert [text for _, text in lines(path, faults.append)] == ["one", "three"]
    assert [(f.code, f.line) for f in faults] == [("encoding", 2)]


def test_cut_archive(tmp_path: Path) -> None:
    path = written(tmp_path, b"".join(b"line %d of many\n" % n for n in range(5000)), "a.txt.gz")
    path.write_bytes(path.read_bytes()[:-500])
    with pytest.raises(DatasetError, match="damaged or cut short"):
        list(lines(path))


def test_not_an_archive(tmp_path: Path) -> None:
    path = tmp_path / "a.gz"
    path.write_bytes(b"plain")
    with pytest.raises(DatasetError, match="the file is not gzip"):
        list(lines(path))


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"none\.txt: cannot be read"):
        list(lines(tmp_path / "none.txt"))


@pytest.mark.parametrize("name", ["a.txt", "a.txt.gz"])
def test_progress_adds_up_to_the_file(tmp_path: Path, name: str) -> None:
    path = written(tmp_path, b"some text\n" * 10_000, name)
    told: list[int] = []
    assert sum(1 for _ in lines(path, advance=told.append)) == 10_000
    assert sum(told) == path.stat().st_size


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("name", ["a.txt", "a.txt.gz"])
def test_every_encoding_that_a_mark_names(encoding: str, name: str, tmp_path: Path) -> None:
    text = ("\ufeff" if encoding[-2:] in ("le", "be") else "") + "one\r\n\r\nthrée \U0001f600\r\n"
    assert list(lines(written(tmp_path, text.encode(encoding), name))) == [(1, "one"), (3, "thrée \U0001f600")]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_lines_end_as_in_text_mode_wherever_the_reading_is_cut(
    encoding: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "a\r\nb\rc\nd\u2028e\x85f\x0bg\x1ch\r\r\n\r\ni"
    path = written(tmp_path, text.encode(encoding))
    with open(path, encoding=encoding) as file:
        theirs = [(number, line.rstrip("\n")) for number, line in enumerate(file, 1) if line.strip()]
    for size in (*range(1, 8), 1 << 18):
        monkeypatch.setattr("harness.data.lines.CHUNK", max(size, 4))
        assert list(lines(path)) == theirs


def test_gzip_is_known_by_its_bytes_and_not_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(gzip.compress(b"one\n", mtime=0))
    assert list(lines(tmp_path / "a.txt")) == [(1, "one")]


@pytest.mark.parametrize(
    ("data", "line", "words"),
    [
        ("one\ntwo\n".encode("utf-16-le"), 1, r"a NUL byte at byte 2 of the line.*iconv -f utf-16le"),
        (b"one\ntw\0o\n", 2, "a NUL byte at byte 3 of the line"),
        (b"\xff\xfeo\0\n\0\x00\xd8\n\0", 2, "half of a surrogate pair, which is not UTF-16-LE text"),
        (b"\xff\xfeo\0\n\0o", 2, "not UTF-16-LE as its byte order mark says"),
        (b"PK\x03\x04rest", 0, "this is a zip archive, not text"),
        (bz2.compress(b"one\n"), 0, "this is compressed with bzip2; decompress it first"),
        (lzma.compress(b"one\n"), 0, "this is compressed with xz; decompress it first"),
        (lzma.compress(b"one\n", lzma.FORMAT_ALONE), 0, "this is compressed with lzma; decompress it first"),
        (b"\x28\xb5\x2f\xfd\x04\x00", 0, "this is compressed with zstd; decompress it first"),
        (
            gzip.compress(gzip.compress(b"one\n", mtime=0), mtime=0),
            0,
            "this is compressed with gzip twice; decompress it once",
        ),
        (gzip.compress(bz2.compress(b"one\n"), mtime=0), 0, "inside gzip, this is compressed with bzip2"),
    ],
)
def test_what_is_not_text_is_named(data: bytes, line: int, words: str, tmp_path: Path) -> None:
    faults: list[Fault] = []
    list(lines(written(tmp_path, data), faults.append))
    assert faults[0].line == line
    with pytest.raises(DatasetError, match=words):
        list(lines(tmp_path / "a.txt"))


def test_a_line_of_any_length_in_a_small_archive_is_not_unpacked_into_memory(tmp_path: Path) -> None:
    path = written(tmp_path, b"short\n" + b"x" * (8 << 20), "a.txt.gz")
    assert path.stat().st_size < 20_000
    tracemalloc.start()
    with pytest.raises(
        DatasetError, match=r"line 2: the line is longer than 1 MiB; is there one record on each line\?"
    ):
        list(lines(path, longest=1 << 20))
    assert tracemalloc.get_traced_memory()[1] < 4 << 20
    tracemalloc.stop()
    assert len(list(lines(path))) == 2


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(DatasetError, match="it is not a regular file"):
        list(lines(tmp_path / "pipe"))
