"""One column of a board."""

from __future__ import annotations

from harness.report import formats
from harness.report.column import MAIN, Column, explained, interval_columns
from harness.statistics.bootstrap import Interval


def test_a_missing_value_is_a_dash_and_sorts_last() -> None:
    column = Column[float | None]("x", lambda row: row, formats.score)
    assert [column.text(row) for row in (0.5, 0.0, None)] == ["0.5000", "0.0000", "–"]
    assert [column.sort_key(row) for row in (0.5, 0.0, None)] == [0.5, 0.0, None]


def test_an_unreliable_value_is_in_brackets_and_a_missing_one_is_not() -> None:
    column = Column[float | None]("x", lambda row: row, formats.one_decimal, doubtful=lambda row: row != 1.0)
    assert [column.text(row) for row in (0.5, 1.0, None)] == ["(0.5)", "1.0", "–"]


def test_boards_and_papers_write_intervals_in_their_own_way() -> None:
    boards, papers = interval_columns(lambda row: row, "help")
    assert boards.text(Interval(0.1, 0.25)) == "0.100 – 0.250"
    assert papers.text(Interval(0.1, 0.25)) == "[0.100, 0.250]"
    assert not {*boards.where} & {*papers.where}
    assert boards.sort_key(Interval(0.1, 0.25)) is None


def test_a_link_names_a_column_by_the_same_words_on_every_dataset() -> None:
    one, other = (Column[str](heading, str, str) for heading in ("new docs (104)", "new docs (1,204)"))
    assert one.key == other.key == "new docs"
    assert Column[str]("95 %, widened (BCa)", str, str).key == "95 % widened (BCa)"


def test_the_page_first_shows_what_a_narrow_terminal_leaves_out_last() -> None:
    assert [Column[str]("x", str, str, importance=n).extra for n in (0, MAIN, MAIN + 1)] == [False, False, True]


def test_columns_are_explained_by_their_help_without_markup_in_titles() -> None:
    first, second = (Column[str](name, str, str, f"`{name}` is it.") for name in "ab")
    assert explained((first, Column("c", str, str), second)) == "`a` is it. `b` is it."
    assert first.title == "a is it."
