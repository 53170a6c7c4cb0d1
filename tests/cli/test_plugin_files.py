"""`--plugin` imports its files before the command's work."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.base.errors import SettingError
from harness.choices.plugins import named_files
from harness.cli.parameters import CacheFolder
from harness.cli.plugin_files import Plugins


def test_the_files_are_named_and_imported(tmp_path: Path) -> None:
    path = tmp_path / "own_file_of_the_command.py"
    path.write_text("def search(query, k):\n    return []\n", encoding="utf-8")
    Plugins(plugin=[path]).prepare()
    assert named_files() == [path]
    assert issubclass(CacheFolder, Plugins)


def test_a_fault_ends_the_command(tmp_path: Path) -> None:
    (tmp_path / "broken_file.py").write_text("1 +\n", encoding="utf-8")
    with pytest.raises(SettingError, match=r"broken_file\.py, line 1: SyntaxError"):
        Plugins(plugin=[tmp_path / "broken_file.py"]).prepare()
