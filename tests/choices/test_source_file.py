"""A user's file as a module: faults are named by file and line, what stands next to it can be imported."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from harness.base.errors import SettingError
from harness.choices.source_file import imported
from harness.choices.value import PLUGIN


def test_a_file_is_imported_once_and_finds_its_neighbours(tmp_path: Path) -> None:
    (tmp_path / "neighbour_of_mine.py").write_text("SIZE = 3\n", encoding="utf-8")
    (tmp_path / "my-file.py").write_text("from neighbour_of_mine import SIZE\nLIST = [SIZE]\n", encoding="utf-8")
    module = imported(tmp_path / "my-file.py", PLUGIN, "plug-in")
    assert module.LIST == [3]
    assert imported(tmp_path / "my-file.py", PLUGIN, "plug-in") is module
    assert module.__name__ == f"{PLUGIN}my_file"


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("x = 1\ndef broken(:\n", r"bad\.py, line 2: SyntaxError: .*Repair that file\."),
        ("x = 1\n\ny = 1 / 0\n", r"bad\.py, line 3: ZeroDivisionError: division by zero"),
        ("import a_library_that_is_not_there\n", r"bad\.py, line 1: ModuleNotFoundError: .*not_there"),
        ("def f():\n    raise SystemExit(3)\n\n\nf()\n", r"bad\.py, line 2: SystemExit: 3"),
    ],
)
def test_a_fault_is_named_by_file_and_line(tmp_path: Path, source: str, message: str) -> None:
    (tmp_path / "bad.py").write_text(source, encoding="utf-8")
    with pytest.raises(SettingError, match=message):
        imported(tmp_path / "bad.py", PLUGIN, "plug-in")
    assert f"{PLUGIN}bad" not in sys.modules


def test_what_cannot_be_a_module_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=r"there is no file .*absent\.py, which is named as a plug-in"):
        imported(tmp_path / "absent.py", PLUGIN, "plug-in")
    (tmp_path / "notes.txt").write_text("x", encoding="utf-8")
    with pytest.raises(SettingError, match=r"notes\.txt is not a Python file; a plug-in ends in \.py"):
        imported(tmp_path / "notes.txt", PLUGIN, "plug-in")
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "same.py").write_text("", encoding="utf-8")
    imported(tmp_path / "one" / "same.py", PLUGIN, "plug-in")
    with pytest.raises(SettingError, match=r"two files are called same\.py, .*one.* and .*two.*; rename one"):
        imported(tmp_path / "two" / "same.py", PLUGIN, "plug-in")
