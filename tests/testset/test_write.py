"""The folder of a set: replaced as a whole, never over files of others."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.base.errors import RecordError, SettingError
from harness.testset.write import FILES, workplace


def fill(part: Path, text: str) -> None:
    for name in FILES:
        (part / name).write_text(text)


def test_files_appear_when_all_are_there(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with pytest.raises(FileNotFoundError), workplace(out) as part:
        (part / "missing" / "half").write_text("half")
    assert list(tmp_path.iterdir()) == []
    for text in ("first", "second"):
        with workplace(out) as part:
            fill(part, text)
        assert {(out / name).read_text() for name in FILES} == {text}
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_other_files_are_never_replaced(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "queries.jsonl").write_text("mine")
    with pytest.raises(RecordError, match="was not written by this command"), workplace(out):
        pass
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingError, match="is a file"), workplace(tmp_path / "file"):
        pass
