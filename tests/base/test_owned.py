from pathlib import Path

import pytest

from harness.base.errors import RecordError
from harness.base.owned import STAMP, check_owned, move_owned, note_owned, unchanged


def test_what_was_written_here_is_written_again_and_nothing_else(tmp_path: Path) -> None:
    names = ["a.txt", "b.txt"]
    check_owned(tmp_path, names)
    (tmp_path / "a.txt").write_text("ours")
    note_owned(tmp_path, ["a.txt"])
    check_owned(tmp_path, names)
    (tmp_path / "b.txt").write_text("not ours")
    with pytest.raises(RecordError, match=r"b\.txt exists and was not written by this command.*Name another folder"):
        check_owned(tmp_path, names)
    check_owned(tmp_path, ["a.txt"])
    assert unchanged(tmp_path, ["a.txt"])
    assert not unchanged(tmp_path, names)
    (tmp_path / "a.txt").write_text("changed by hand")
    assert not unchanged(tmp_path, ["a.txt"])
    with pytest.raises(RecordError, match=r"a\.txt exists"):
        check_owned(tmp_path, ["a.txt"])


@pytest.mark.parametrize("stamp", ["", "{", "[]", '{"a.txt": 1}'])
def test_a_stamp_that_cannot_be_read_proves_nothing(stamp: str, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("x")
    (tmp_path / STAMP).write_text(stamp)
    with pytest.raises(RecordError):
        check_owned(tmp_path, ["a.txt"])


def test_files_that_are_moved_are_owned_also_if_the_move_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    part, names = tmp_path / "part", ("a", "qrels/b")

    def made(content: str) -> None:
        (part / "qrels").mkdir(parents=True, exist_ok=True)
        for name in names:
            (part / name).write_text(content)

    made("first")
    move_owned(part, tmp_path, names)
    assert unchanged(tmp_path, names)
    made("second")
    replace = Path.replace

    def killed(self: Path, target: Path) -> Path:
        if self.name == "b":
            raise KeyboardInterrupt
        return replace(self, target)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", killed)
        with pytest.raises(KeyboardInterrupt):
            move_owned(part, tmp_path, names)
    check_owned(tmp_path, names)  # the command can be run again
    assert (tmp_path / "a").read_text() == "second"
    assert not (tmp_path / "qrels" / "b").exists()
