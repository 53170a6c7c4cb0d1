"""What a room holds is listed without importing it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from harness.choices.items import files, names, normalised


def test_files_that_begin_with_an_underscore_are_no_items(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "drawers"
    folder.mkdir()
    for name in ("__init__", "_private", "second", "first"):
        (folder / f"{name}.py").write_text("raise RuntimeError('imported')" if name != "__init__" else "")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert names("drawers") == ["first", "second"]
    assert files("drawers") == {"first", "second"}
    assert not [module for module in sys.modules if module.startswith("drawers.")]


def test_a_package_that_does_not_exist_is_named() -> None:
    with pytest.raises(ModuleNotFoundError, match="no_such_room"):
        files("no_such_room")


def test_hyphens_and_underscores_are_the_same() -> None:
    assert normalised("cross-encoder") == normalised("cross_encoder") == "cross_encoder"
