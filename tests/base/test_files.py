"""Files are whole or not there, and read once while they are unchanged."""

from __future__ import annotations

import hashlib
import os
import re
import stat
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.base import files
from harness.base.files import HashMemo, replacing, sha256, share, slug, write_text


def test_replacing_makes_the_folder_and_the_file(tmp_path: Path) -> None:
    with replacing(tmp_path / "a" / "b.txt") as part:
        part.write_text("new")
    assert (tmp_path / "a" / "b.txt").read_text() == "new"
    assert list((tmp_path / "a").iterdir()) == [tmp_path / "a" / "b.txt"]


def test_a_writer_that_fails_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("old")
    with pytest.raises(RuntimeError, match="half"), replacing(tmp_path / "a") as part:  # noqa: PT012
        part.write_text("ne")
        raise RuntimeError("half")
    assert (tmp_path / "a").read_text() == "old"
    assert list(tmp_path.iterdir()) == [tmp_path / "a"]


def test_a_writer_that_is_killed_leaves_the_old_file(
    tmp_path: Path, python: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    (tmp_path / "a").write_text("old")
    code = """
import os, signal, sys
from pathlib import Path
from harness.base.files import replacing
with replacing(Path(sys.argv[1])) as part:
    part.write_text("ne")
    os.kill(os.getpid(), signal.SIGKILL)
"""
    assert python(code, tmp_path / "a").returncode == -9
    assert (tmp_path / "a").read_text() == "old"
    write_text(tmp_path / "a", "new")
    assert (tmp_path / "a").read_text() == "new"


def test_a_reader_sees_the_old_file_until_the_new_one_is_whole(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("old")
    with replacing(tmp_path / "a") as part:
        part.write_text("new")
        assert (tmp_path / "a").read_text() == "old"
        assert part.parent == tmp_path, "a move within one folder is one step"
    assert (tmp_path / "a").read_text() == "new"


@pytest.mark.skipif(os.name == "nt", reason="no modes")
@pytest.mark.parametrize("umask", [0o022, 0o077, 0o002])
def test_what_is_written_has_the_mode_of_any_new_file(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        write_text(tmp_path / "a", "text")
        (tmp_path / "folder").mkdir(0o700)
        share(tmp_path / "folder")
        assert os.umask(umask) == umask, "the process's own mask is as it was"
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o666 & ~umask
    assert stat.S_IMODE((tmp_path / "folder").stat().st_mode) == 0o777 & ~umask


def test_text_is_utf8_with_the_line_ends_it_was_given(tmp_path: Path) -> None:
    write_text(tmp_path / "a", "ä\n漢\r\n")
    assert (tmp_path / "a").read_bytes() == "ä\n漢\r\n".encode()


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("bm25", "bm25"),
        ("bm25>>cross-encoder", "bm25-then-cross-encoder"),
        ("beir/scifact/test", "beir-scifact-test"),
        ('dense(model="a/b")', "dense-model-a-b"),
        ("k1=0.9,b=0.4", "k1-0.9-b-0.4"),
        ("../..", "unnamed"),
        ("", "unnamed"),
        ("..hidden", "hidden"),
        ("naïve", "na-ve"),
    ],
)
def test_slug_is_one_readable_path_component(name: str, path: str) -> None:
    assert slug(name) == path


@given(st.text())
def test_a_slug_never_leaves_its_folder_nor_hides(name: str) -> None:
    assert re.fullmatch(r"[A-Za-z0-9_+](?:[A-Za-z0-9._+-]*[A-Za-z0-9_+])?", slug(name))
    assert slug(slug(name)) == slug(name)


def test_sha256_is_that_of_the_bytes(tmp_path: Path) -> None:
    content = os.urandom(3_000_000)
    (tmp_path / "a").write_bytes(content)
    assert sha256(tmp_path / "a") == hashlib.sha256(content).hexdigest()


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The files that were hashed, in order."""
    seen: list[Path] = []

    def spy(path: Path) -> str:
        seen.append(path)
        return sha256(path)

    monkeypatch.setattr(files, "sha256", spy)
    return seen


def test_an_unchanged_file_is_hashed_once_even_by_another_memo(tmp_path: Path, read: list[Path]) -> None:
    file = tmp_path / "a"
    file.write_bytes(b"one")
    values = [HashMemo(tmp_path / "memo").sha256(file) for _ in range(3)]
    assert values == [hashlib.sha256(b"one").hexdigest()] * 3
    assert read == [file]


def test_a_file_of_another_size_is_hashed_again(tmp_path: Path) -> None:
    file, memo = tmp_path / "a", HashMemo(tmp_path / "memo")
    file.write_bytes(b"one")
    memo.sha256(file)
    before = file.stat()
    file.write_bytes(b"three")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert memo.sha256(file) == hashlib.sha256(b"three").hexdigest()


def test_a_file_of_the_same_size_and_another_time_is_hashed_again(tmp_path: Path) -> None:
    file, memo = tmp_path / "a", HashMemo(tmp_path / "memo")
    file.write_bytes(b"one")
    memo.sha256(file)
    file.write_bytes(b"two")
    os.utime(file, ns=(1, 1))
    assert memo.sha256(file) == hashlib.sha256(b"two").hexdigest()


@pytest.mark.skipif(os.name == "nt", reason="st_ctime is the time of creation there")
def test_a_file_of_the_same_size_and_time_of_modification_is_hashed_again(tmp_path: Path) -> None:
    """Two releases of a model unpacked over each other: reproducible archives give all files one time."""
    file, memo = tmp_path / "a", HashMemo(tmp_path / "memo")
    file.write_bytes(b"one")
    os.utime(file, ns=(1, 1))
    memo.sha256(file)
    time.sleep(0.03)  # longer than the kernel's clock takes for a step
    file.write_bytes(b"two")
    os.utime(file, ns=(1, 1))
    assert memo.sha256(file) == hashlib.sha256(b"two").hexdigest()


def test_a_link_and_its_file_are_one(tmp_path: Path, read: list[Path]) -> None:
    (tmp_path / "a").write_bytes(b"one")
    (tmp_path / "link").symlink_to(tmp_path / "a")
    memo = HashMemo(tmp_path / "memo")
    assert memo.sha256(tmp_path / "link") == memo.sha256(tmp_path / "a")
    assert read == [tmp_path / "a"]


@pytest.mark.parametrize("held", [b"", b"{", b"[]", b"{}", b'{"file": 3}', b"\xff", b"\x1f\x8b"])
def test_a_broken_memo_costs_time_only(tmp_path: Path, held: bytes, read: list[Path]) -> None:
    file, memo = tmp_path / "a", HashMemo(tmp_path / "memo")
    file.write_bytes(b"one")
    memo.sha256(file)
    (note,) = (tmp_path / "memo").iterdir()
    note.write_bytes(held)
    assert [memo.sha256(file), memo.sha256(file)] == [hashlib.sha256(b"one").hexdigest()] * 2
    assert len(read) == 2, "mended by the first call"


def test_a_memo_that_cannot_be_written_costs_time_only(tmp_path: Path, read: list[Path]) -> None:
    (tmp_path / "a").write_bytes(b"one")
    (tmp_path / "file").touch()
    memo = HashMemo(tmp_path / "file" / "memo")
    assert [memo.sha256(tmp_path / "a") for _ in range(2)] == [hashlib.sha256(b"one").hexdigest()] * 2
    assert len(read) == 2


def test_a_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        HashMemo(tmp_path / "memo").sha256(tmp_path / "a")


@pytest.mark.skipif(os.name == "nt", reason="names are text there")
def test_a_name_that_is_not_text_is_remembered_too(tmp_path: Path, read: list[Path]) -> None:
    file, memo = tmp_path / os.fsdecode(b"a\xff"), HashMemo(tmp_path / "memo")
    file.write_bytes(b"one")
    assert [memo.sha256(file) for _ in range(2)] == [hashlib.sha256(b"one").hexdigest()] * 2
    assert len(read) == 1
