from __future__ import annotations

import stat
import zipfile
from pathlib import Path

import pytest

from harness.base.errors import DatasetError
from harness.datasets._unpack import unpack


@pytest.fixture
def target(tmp_path: Path) -> Path:
    folder = tmp_path / "inside" / "target"
    folder.mkdir(parents=True)
    return folder


def archive(tmp_path: Path, members: list[tuple[str | zipfile.ZipInfo, bytes]]) -> Path:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in members:
            file.writestr(name, data)
    return path


def test_folders_and_files(tmp_path: Path, target: Path) -> None:
    path = archive(tmp_path, [("a/", b""), ("a/b/c.txt", b"x"), ("__MACOSX/a/._c", b"y"), ("a/.DS_Store", b"z")])
    unpack(path, target)
    assert {p.relative_to(target).as_posix() for p in target.rglob("*")} == {"a", "a/b", "a/b/c.txt"}
    assert (target / "a/b/c.txt").read_bytes() == b"x"


def link() -> zipfile.ZipInfo:
    info = zipfile.ZipInfo("a/link")
    info.create_system = 3
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


def stored(name: str) -> zipfile.ZipInfo:
    """A member whose name is written as given, backslashes and all."""
    info = zipfile.ZipInfo("x")
    info.filename = info.orig_filename = name
    return info


@pytest.mark.parametrize(
    ("member", "words"),
    [
        ("../escaped.txt", "leads out"),
        ("a/../../escaped.txt", "leads out"),
        ("/etc/escaped.txt", "absolute path"),
        (stored("C:/escaped.txt"), "absolute path"),
        (stored("C:escaped.txt"), "absolute path"),
        (stored("..\\escaped.txt"), "backslash"),
        (stored("\\escaped.txt"), "absolute path"),
        (link(), "is a link"),
    ],
)
def test_members_that_are_refused(tmp_path: Path, target: Path, member: str | zipfile.ZipInfo, words: str) -> None:
    path = archive(tmp_path, [("a/fine.txt", b"x"), (member, b"../../escaped.txt")])
    with pytest.raises(DatasetError, match=f"{words}.*Nothing was unpacked"):
        unpack(path, target)
    assert list(target.iterdir()) == []
    assert not list(tmp_path.rglob("escaped.txt"))


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("second", ["a/b.txt", "A/B.txt"])
def test_the_same_name_twice(tmp_path: Path, target: Path, second: str) -> None:
    with pytest.raises(DatasetError, match="occurs twice"):
        unpack(archive(tmp_path, [("a/b.txt", b"x"), (second, b"y")]), target)


def test_a_bomb(tmp_path: Path, target: Path) -> None:
    with pytest.raises(DatasetError, match="zip bomb"):
        unpack(archive(tmp_path, [("a", b"\0" * (1 << 25))]), target)


def test_too_many_members(tmp_path: Path, target: Path) -> None:
    with pytest.raises(DatasetError, match="zip bomb"):
        unpack(archive(tmp_path, [(f"{n}", b"") for n in range(10_001)]), target)


def test_not_enough_room(tmp_path: Path, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda path: type("Usage", (), {"free": 3})())
    with pytest.raises(DatasetError, match=r"needs 5 bytes .* 3 are free"):
        unpack(archive(tmp_path, [("a", b"12345")]), target)


@pytest.mark.parametrize("cut", [10, -10])
def test_a_cut_archive(tmp_path: Path, target: Path, cut: int) -> None:
    path = archive(tmp_path, [("a", b"12345" * 100)])
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(DatasetError, match="not a complete zip archive"):
        unpack(path, target)


def test_damaged_content(tmp_path: Path, target: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as file:
        file.writestr("a", b"12345" * 100)
    path.write_bytes(path.read_bytes().replace(b"1234512345", b"1234512340", 1))
    with pytest.raises(DatasetError, match="not a complete zip archive"):
        unpack(path, target)
