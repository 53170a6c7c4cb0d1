"""Sheets fit any width from 60 columns: the least important columns leave, names and numbers stay whole."""

from __future__ import annotations

import pytest
from rich.cells import cell_len

from harness.report.layout import layout, lines
from harness.report.sheet import Field, Sheet

NAMES = ["bm25", "dense", "hybrid(bm25, dense+supervised)>>ce(precision=bf16) depth=50", "x"]


def numbers(heading: str, importance: int, text: str = "0.1234") -> Field:
    return Field(heading, heading, [0.1234] * len(NAMES), [text] * len(NAMES), importance=importance)


def sheet(*fields: Field) -> Sheet:
    return Sheet("t", [Field("name", "row", NAMES, NAMES, right=False), *fields])


def plain(sheet: Sheet, width: int) -> list[str]:
    return [line.plain for line in lines(sheet, width)]


def test_columns_leave_in_the_order_of_their_importance() -> None:
    whole = sheet(numbers("a", 0), numbers("b", 3, "x" * 15), numbers("c", 1, "x" * 15), numbers("d", 2, "x" * 15))
    assert layout(whole, 120).left_out == ()
    assert layout(whole, 75).left_out == ("b",)
    assert layout(whole, 50).left_out == ("b", "d")
    assert layout(whole, 30).left_out == ("b", "c", "d")


def test_a_name_wider_than_its_column_has_a_line_of_its_own() -> None:
    shown = plain(sheet(numbers("a", 0), numbers("b", 0, "y" * 20)), 60)
    place = shown.index(NAMES[2])
    assert shown[place + 1].split() == ["0.1234", "y" * 20]
    assert shown[place + 1].index("0.1234") == shown[1].index("0.1234")


@pytest.mark.parametrize("width", range(60, 141, 7))
def test_no_line_is_too_wide_no_name_lost_and_no_number_cut(width: int) -> None:
    columns = [numbers(f"d{i}", 0, f"{i}.123456789") for i in range(9)]
    shown = plain(sheet(*columns), width)
    assert max(map(cell_len, shown)) <= width
    words = " ".join(shown).split()
    for i in range(9):
        assert words.count(f"{i}.123456789") == len(NAMES)
    assert all(shown.count(NAMES[2]) or any(line.startswith(NAMES[2]) for line in shown) for _ in [0])


def test_columns_that_must_stay_follow_in_another_table() -> None:
    shown = plain(sheet(*(numbers(f"d{i}", 0, "z" * 20) for i in range(4))), 60)
    heads = [line for line in shown if line.startswith("row")]
    assert [head.split()[1:] for head in heads] == [["d0", "d1"], ["d2", "d3"]]


def test_sentences_are_wrapped_between_words_and_get_the_room_that_is_left() -> None:
    words = Field.words("why", ["one two three four five six seven eight nine ten eleven"] * len(NAMES))
    shown = plain(sheet(words), 60)
    assert max(map(len, shown)) <= 60
    assert " ".join(" ".join(shown).split()).count("eleven") == len(NAMES)


def test_a_line_separates_groups_and_nothing_is_above_columns_without_headings() -> None:
    grouped = Sheet("t", sheet(numbers("a", 0)).fields, groups=[1])
    assert set(plain(grouped, 80)[2].strip()) == {"─"}
    bare = Sheet("t", [Field("name", "", NAMES, NAMES, right=False)])
    assert plain(bare, 80) == NAMES
