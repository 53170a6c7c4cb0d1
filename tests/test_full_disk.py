"""A disk that is full and a folder that is read-only: one line with what to do, status 2, no traceback, nothing half
written.

The tests may run as root, whom no permission binds, so the refusal comes from the calls themselves.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.base.errors import storage_problem
from harness.base.files import replacing, write_text

CODES = {"full": errno.ENOSPC, "quota": errno.EDQUOT, "read-only": errno.EROFS, "not allowed": errno.EACCES}


@pytest.fixture
def refuse(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """From then on no file can be written: a full disk refuses the bytes, a read-only one the file."""

    def one(code: int) -> None:
        def no_file(*_: object, dir: object = None, **__: object) -> None:
            raise OSError(code, os.strerror(code), str(dir))

        def no_bytes(_: int) -> None:
            raise OSError(code, os.strerror(code))

        if code in (errno.ENOSPC, errno.EDQUOT):
            monkeypatch.setattr(os, "fsync", no_bytes)
        else:
            monkeypatch.setattr(tempfile, "mkstemp", no_file)

    return one


@pytest.fixture
def prepared(small_folder: Path, harness_command, tmp_path: Path) -> Path:
    """A results folder with two rows, and figures to import."""
    assert harness_command("run", "-d", "./small", "-m", "bm25", "-m", "bm25(b=0)").status == 0
    (tmp_path / "theirs.json").write_text(json.dumps({"title": "x", "source": "y", "figures": {"d": {"nDCG@10": 0.5}}}))
    return tmp_path / "results"


COMMANDS = {
    "run": ["run", "-d", "./small", "-m", "bm25", "--rerun"],
    "leaderboard": ["leaderboard"],
    "decide": ["decide", "./small", "-m", "bm25", "-m", "bm25(b=0)"],
    "import": ["import", "theirs.json"],
    "export trec": ["export", "trec", "./small", "-m", "bm25", "--to", "there"],
    "export beir": ["export", "beir", "./small", "--to", "there"],
}


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("kind", CODES)
def test_every_command_that_writes_says_it_in_one_line(
    kind: str, command: str, prepared: Path, harness_command, refuse: Callable[[int], None]
) -> None:
    before = {path: path.read_bytes() for path in prepared.rglob("*") if path.is_file()}
    refuse(CODES[kind])
    said = harness_command(*COMMANDS[command])
    assert said.status == 2
    last = said.err.strip().splitlines()[-1]
    assert last.startswith("harness: ")
    assert os.strerror(CODES[kind]).lower() in last.lower()
    assert "Free some space" in last or "Allow it" in last or "--results" in last or "Name" in last
    assert "Traceback" not in said.out + said.err
    assert {path: path.read_bytes() for path in before} == before
    assert not [path for path in prepared.parent.rglob("*.part") if "cache" not in path.parts]


def test_the_file_that_could_not_be_written_is_named(tmp_path: Path, refuse: Callable[[int], None]) -> None:
    refuse(errno.ENOSPC)
    with pytest.raises(OSError, match="No space left") as caught:
        write_text(tmp_path / "board.md", "x")
    assert caught.value.filename == str(tmp_path / "board.md")
    assert list(tmp_path.iterdir()) == []


def test_a_limit_on_the_size_of_files_is_said(python, small_folder: Path) -> None:
    limited = "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (1500, 1500))\n"
    limited += "sys.dont_write_bytecode = True\n"  # Python 3.11 would leave truncated modules behind
    run = "sys.argv = ['harness', *sys.argv[1:]]\nfrom harness.cli.app import main\nmain()"
    done = python(limited + run, "run", "-d", str(small_folder), "-m", "bm25")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert done.stderr.strip().splitlines()[-1].startswith("harness: ")
    assert "file too large" in done.stderr.lower()


def test_a_name_that_is_too_long_is_said(tmp_path: Path, small_folder: Path, harness_command) -> None:
    said = harness_command("run", "-d", "./small", "-m", "bm25", "--results", "r" * 300)
    assert said.status == 2
    assert "too long" in said.err.lower()
    with pytest.raises(OSError, match="too long"), replacing(tmp_path / ("x" * 300)):
        pass
    write_text(tmp_path / ("x" * 250), "the longest that a file system takes")


def test_a_copied_folder_says_the_first_file_that_failed() -> None:
    error = shutil.Error([("a/model", "there/model", "[Errno 28] No space left on device")])
    assert storage_problem(error) == (
        "there/model: [Errno 28] No space left on device. Free some space, or name another folder."
    )


def test_other_errors_are_no_matter_of_disks() -> None:
    assert storage_problem(OSError("a sentence")) is None
    assert storage_problem(ConnectionRefusedError(errno.ECONNREFUSED, "refused")) is None
    moved = OSError(errno.EROFS, "Read-only file system", "a", None, "b")
    assert storage_problem(moved) == "b: read-only file system. Allow it, or name another folder."
