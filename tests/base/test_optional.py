from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.base.errors import Unavailable
from harness.base.optional import library


def test_a_library_that_is_there_is_the_module() -> None:
    assert library("json", "any") is json


def test_one_that_is_absent_is_named_with_the_command_that_installs_it() -> None:
    with pytest.raises(Unavailable) as caught:
        library("no_such_library", "search")
    assert caught.value.reason == "no_such_library is not installed."
    assert 'pip install "retrieval-harness[search]"' in caught.value.remedy


def test_one_that_is_there_and_broken_is_not_called_absent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "half_a_library.py").write_text("import something_it_misses\n", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(ModuleNotFoundError, match="something_it_misses"):
        library("half_a_library", "search")
