"""Columns of a sheet."""

from harness.report.sheet import Field, Sheet


def test_numbers_are_formatted_missing_ones_are_dashes_and_the_greatest_is_marked() -> None:
    field = Field.of("x", "X", [0.25, None, 0.5], "{:.1f}".format, best=True)
    assert (field.values, field.texts, field.best) == ([0.25, None, 0.5], ["0.2", "–", "0.5"], "0.5")
    assert Field.of("x", "X", [None], str, best=True).best is None


def test_hidden_columns_are_not_in_tables() -> None:
    sheet = Sheet("t", [Field("a", "a", [1], ["1"]), Field.hidden("b", [2]), Field.label("c", ["3"])])
    assert [field.heading for field in sheet.visible] == ["a", "c"]
    assert sheet.rows == 1


def test_rows_without_a_mark_have_no_style() -> None:
    sheet = Sheet("t", [Field("a", "a", [1, 2], ["1", "2"])], marks=["red"])
    assert [sheet.mark(0), sheet.mark(1)] == ["red", ""]
