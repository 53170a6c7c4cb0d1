from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from harness.datasets._lines import Fault, lines
from harness.errors import DatasetError


def written(tmp_path: Path, data: bytes, name: str = "a.txt") -> Path:
    path = tmp_path / name
    path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
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
    with pytest.raises(DatasetError, match="damaged or cut short"):
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
