from pathlib import Path

import pytest

from harness import api
from harness.runtime.context import Context


def test_a_board_has_the_measures_of_a_row_as_it_was_given(
    small_folder: Path, tmp_path: Path, context: Context
) -> None:
    row = f"run/{tmp_path / 'x.trec'}"
    (tmp_path / "x.trec").write_text("q1 Q0 d1 1 2.0 x\n")
    board = api.run(row, dataset=str(small_folder), results=tmp_path / "results", context=context)
    assert board.results[0].record.row != row
    assert board.measures(row) == dict(board.results[0].record.measures)
    with pytest.raises(KeyError, match="no such"):
        board.measures("no such")


def test_a_board_shows_itself_as_markdown(small_folder: Path, tmp_path: Path, context: Context) -> None:
    board = api.run("bm25", dataset=str(small_folder), results=tmp_path / "results", context=context)
    assert board._repr_markdown_() == str(board)
    assert "| `bm25`" in str(board)
    assert len(board.tables) == 1
