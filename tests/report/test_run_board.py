import re
from pathlib import Path

import pytest

from harness import api
from harness.base.errors import HarnessError
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


def test_a_board_in_one_line_as_html_and_as_a_frame(small_folder: Path, tmp_path: Path, context: Context) -> None:
    pd = pytest.importorskip("pandas", reason="pandas is not installed")
    rows = ("bm25", "bm25(k1=3)")
    board = api.run(*rows, dataset=str(small_folder), results=tmp_path / "results", context=context)
    assert re.fullmatch(r"<Board folder/.*, nDCG@10: bm25(\(k1=3\))? 0\.\d{4}, bm25(\(k1=3\))? 0\.\d{4}>", repr(board))
    html = board._repr_html_()
    assert html.count("<tr>") == 3
    assert "<code>bm25(k1=3)</code>" in html
    assert "<script" not in html
    frame = board.frame()
    assert isinstance(frame, pd.DataFrame)
    assert list(frame["row"]) == list(rows)
    assert frame["nDCG@10"][0] == board.measures("bm25")["nDCG@10"]
    by_query = board.frame(by_query=True)
    means = by_query.groupby("row")["nDCG@10"].mean()
    assert means["bm25"] == pytest.approx(frame["nDCG@10"][0], abs=1e-5)
    assert len(by_query) == 2 * 20


def test_a_board_compares_its_rows(small_folder: Path, tmp_path: Path, context: Context) -> None:
    board = api.run("bm25", "bm25(k1=3)", dataset=str(small_folder), results=tmp_path / "results", context=context)
    found = board.compare("bm25", "bm25(k1=3)")
    difference = board.measures("bm25")["nDCG@10"] - board.measures("bm25(k1=3)")["nDCG@10"]
    assert found.verdict.contrast.difference == pytest.approx(difference, abs=1e-5)
    with pytest.raises(HarnessError, match="the board has 0 datasets"):
        api.Board(()).compare("bm25", "dense")
    assert repr(api.Board(())) == "<Board without results>"
