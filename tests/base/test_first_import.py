"""The process that compiles libraries: when it is started, what it leaves, and how it ends."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.base import first_import
from harness.base.first_import import compile_in_background, processes

LIBRARY = "made_up_library"


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[subprocess.Popen[bytes]]]:
    """The processes that were started, of a machine with two cores."""
    found: list[subprocess.Popen[bytes]] = []
    monkeypatch.setattr(first_import, "_started", found)
    monkeypatch.setattr(first_import, "cores", lambda: 2)
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    yield found
    first_import._end()
    assert all(process.returncode is not None for process in found)


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installed package that was never imported."""
    folder = tmp_path / LIBRARY
    folder.mkdir()
    (folder / "__init__.py").write_text("from made_up_library import inner\n")
    (folder / "inner.py").write_text("x = 1\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    monkeypatch.setattr(first_import, "LIBRARY", LIBRARY)
    monkeypatch.setattr(first_import, "IMPORTS", f"import {LIBRARY}")
    return folder


def test_modules_are_compiled_and_not_imported_here(library: Path, started: list[subprocess.Popen[bytes]]) -> None:
    compile_in_background()
    (process,) = started
    assert process.wait(60) == 0
    assert [path.name.partition(".")[0] for path in sorted(library.rglob("*.pyc"))] == ["__init__", "inner"]
    assert LIBRARY not in sys.modules


def test_it_is_started_once_and_never_for_what_is_compiled(
    library: Path, started: list[subprocess.Popen[bytes]]
) -> None:
    compile_in_background()
    compile_in_background()
    assert len(started) == 1
    started[0].wait(60)
    started.clear()
    compile_in_background()
    assert started == []


@pytest.mark.parametrize("without", ["a second core", "leave to write", "a folder to write to", "the library"])
def test_it_is_not_started_in_vain(
    library: Path, started: list[subprocess.Popen[bytes]], without: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if without == "a second core":
        monkeypatch.setattr(first_import, "cores", lambda: 1)
    elif without == "leave to write":
        monkeypatch.setattr(sys, "dont_write_bytecode", True)
    elif without == "a folder to write to":
        monkeypatch.setattr("os.access", lambda path, mode: False)
    else:
        monkeypatch.setattr(first_import, "LIBRARY", "no_such_library_at_all")
    compile_in_background()
    assert started == []


def test_it_ends_with_this_process(
    library: Path, started: list[subprocess.Popen[bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(first_import, "IMPORTS", "import time; time.sleep(600)")
    compile_in_background()
    assert processes() == {started[0].pid}
    first_import._end()
    assert processes() == frozenset()
