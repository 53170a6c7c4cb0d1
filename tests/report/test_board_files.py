"""The board is written where something changed, and only there."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from harness import api
from harness.base.errors import RecordError
from harness.base.owned import STAMP as OWNED
from harness.bench.published import Published, write
from harness.bench.store import Store, StoredRecord
from harness.report import board_files
from harness.report.board_files import NAMES, STAMP, faults_of, is_written, write_board
from harness.runtime.context import Context


@pytest.fixture
def board(put: Callable[..., StoredRecord], results: Store, context: Context) -> StoredRecord:
    put("other", {"q1": 0.4, "q2": 0.3})
    held = put("one", {"q1": 0.5, "q2": 0.25})
    write_board(results.root, context)
    assert is_written(results.root, context)
    return held


CHANGES: dict[str, Callable[[StoredRecord, Path], object]] = {
    "a record": lambda held, root: held.place.record.write_text(
        held.place.record.read_text().replace("none", "dev labels")
    ),
    "values": lambda held, root: held.place.queries.write_text(held.place.queries.read_text().replace("0.25", "0.26")),
    "a run": lambda held, root: held.place.run.write_bytes(b"x"),
    "a record that is gone": lambda held, root: held.place.record.unlink(),
    "published figures": lambda held, root: write(root, Published("x", "y", {"beir/example/test": {"nDCG@10": 0.5}})),
    "a file of the board that was edited": lambda held, root: (root / "leaderboard.md").write_text("mine"),
    "a file of the board that is gone": lambda held, root: (root / "leaderboard.html").unlink(),
    "no hashes of the files": lambda held, root: (root / OWNED).unlink(),
    "no stamp": lambda held, root: (root / STAMP).unlink(),
    "a broken stamp": lambda held, root: (root / STAMP).write_text("[" * 9999),
    "a stamp of another form": lambda held, root: (root / STAMP).write_text("[]"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_seen(change: str, board: StoredRecord, results: Store, context: Context) -> None:
    CHANGES[change](board, results.root)
    assert not is_written(results.root, context)
    write_board(results.root, context)
    assert is_written(results.root, context)


def test_a_new_record_other_code_and_another_page_are_seen(
    board: StoredRecord,
    put: Callable[..., StoredRecord],
    results: Store,
    context: Context,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(board_files, "code_hash", lambda: "other")
        assert not is_written(results.root, context)
    with monkeypatch.context() as patched:
        patched.setattr(board_files, "_assets", lambda: "other")
        assert not is_written(results.root, context)
    with monkeypatch.context() as patched:
        patched.setattr(board_files, "_at_hand", lambda *_: True)  # the page will have its texts
        assert not is_written(results.root, context)
    assert is_written(results.root, context)
    put("new", {"q1": 0.1, "q2": 0.2})
    assert not is_written(results.root, context)


def test_a_record_that_cannot_be_read_is_reported_each_time(
    board: StoredRecord, results: Store, context: Context
) -> None:
    (results.root / "d" / "bad").mkdir(parents=True)
    (results.root / "d" / "bad" / "seed0.json").write_text("{")
    assert not is_written(results.root, context)
    assert len(write_board(results.root, context).faults) == 1
    before = {name: (results.root / name).stat().st_mtime_ns for name in NAMES}
    for _ in range(2):  # nothing is written for it
        assert is_written(results.root, context)
        assert [str(fault) for fault in api.update_leaderboard(results.root, context)] == [
            str(fault) for fault in faults_of(results.root)
        ]
        assert len(faults_of(results.root)) == 1
    assert {name: (results.root / name).stat().st_mtime_ns for name in NAMES} == before


def test_a_file_that_would_have_the_same_bytes_is_not_written(
    board: StoredRecord, results: Store, context: Context
) -> None:
    before = {name: (results.root / name).stat().st_mtime_ns for name in NAMES}
    (results.root / "leaderboard.tex").write_text("of an earlier version")
    write_board(results.root, context)
    after = {name: (results.root / name).stat().st_mtime_ns for name in NAMES}
    assert {name for name in NAMES if after[name] != before[name]} == {"leaderboard.tex"}


@pytest.mark.parametrize("name", NAMES)
def test_a_file_in_a_folder_without_records_is_not_replaced(name: str, tmp_path: Path, context: Context) -> None:
    (tmp_path / name).write_text("mine")
    with pytest.raises(RecordError, match=f"{name} exists and was not written by this command"):
        write_board(tmp_path, context)
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == [name]
    assert (tmp_path / name).read_text() == "mine"


def test_a_board_without_records_is_written_again(
    board: StoredRecord, results: Store, tmp_path: Path, context: Context
) -> None:
    for _ in range(2):
        write_board(tmp_path / "new", context)
    for record in results.root.glob("*/*/seed*"):
        record.unlink()
    assert not write_board(results.root, context).tables


def test_a_board_in_a_folder_with_records_is_replaced(
    board: StoredRecord, results: Store, context: Context
) -> None:  # as a folder that an earlier version wrote
    (results.root / OWNED).unlink()
    assert not is_written(results.root, context)
    write_board(results.root, context)
    assert is_written(results.root, context)


def test_an_up_to_date_run_writes_no_file_of_the_board(harness_command, small_folder: Path, tmp_path: Path) -> None:
    command = ("run", "-d", small_folder, "-m", "bm25")
    first = harness_command(*command)
    before = {name: os.stat(tmp_path / "results" / name).st_mtime_ns for name in (*NAMES, STAMP)}
    again = harness_command(*command)
    assert {name: os.stat(tmp_path / "results" / name).st_mtime_ns for name in (*NAMES, STAMP)} == before
    assert again.out == first.out
    assert harness_command("leaderboard").status == 0  # named, it always computes the files
    assert os.stat(tmp_path / "results" / STAMP).st_mtime_ns > before[STAMP]
    assert os.stat(tmp_path / "results" / "leaderboard.html").st_mtime_ns == before["leaderboard.html"]


def test_the_same_records_give_the_same_bytes(board: StoredRecord, results: Store, context: Context) -> None:
    before = {name: (results.root / name).read_bytes() for name in (*NAMES, STAMP)}
    write_board(results.root, context)
    assert {name: (results.root / name).read_bytes() for name in (*NAMES, STAMP)} == before


def test_a_folder_of_something_else_gets_no_board(harness_command, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("mine")
    said = harness_command("leaderboard", "--results", "mine")
    assert said.status == 2
    assert "mine has no record, but notes.txt: it is no folder of results" in said.err
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["notes.txt"]
    (tmp_path / "new").mkdir()
    for _ in range(2):  # an empty folder, and one with nothing but an empty board
        assert harness_command("leaderboard", "--results", "new").status == 0
