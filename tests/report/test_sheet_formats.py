"""What programs and documents get: whole numbers, safe text."""

from __future__ import annotations

import csv
import io
import json
import math

from harness.report.sheet import Field, Sheet
from harness.report.sheet_formats import Shown, as_csv, as_json, as_markdown, as_table

ONE = Sheet(
    "one",
    [
        Field("name", "row", ["a|b", "=1+1"], ["a|b", "=1+1"], right=False),
        Field("x", "X", [0.123456, None], ["0.12", "–"], best="0.12"),
        Field.label("bar", ["━", "·"]),
        Field.hidden("more", [math.inf, True]),
    ],
    verdict="a is best",
    legend=[("a|b", "long(a)")],
    notes=["a <note>"],
)
TWO = Sheet("two", [Field("name", "row", ["c"], ["c"], right=False)], key="second")


def test_json_has_every_number_and_no_infinity() -> None:
    data = json.loads(as_json(Shown([ONE, TWO], ["a", "b"], {"usable": True})))
    assert data["sentences"] == ["a", "b"]
    assert data["usable"] is True
    first, second = data["tables"]
    assert first["rows"] == [{"name": "a|b", "x": 0.123456, "more": None}, {"name": "=1+1", "x": None, "more": True}]
    assert (first["verdict"], first["names"], first["notes"]) == ("a is best", {"a|b": "long(a)"}, ["a <note>"])
    assert second["rows"] == [{"name": "c"}]


def test_csv_has_one_line_for_each_row_and_no_formula() -> None:
    lines = list(csv.reader(io.StringIO(as_csv(Shown([ONE])))))
    assert lines == [["name", "x", "more"], ["a|b", "0.123456", "inf"], ["'=1+1", "", "True"]]
    several = list(csv.reader(io.StringIO(as_csv(Shown([ONE, TWO])))))
    assert several[0] == ["table", "name", "x", "more"]
    assert several[-1] == ["second", "c", "", ""]


def test_markdown_is_escaped() -> None:
    text = as_markdown(Shown([ONE], ["see `a|b` <b>"]))
    assert "- see <code>a&#124;b</code> &lt;b>" in text
    assert "## one" in text
    assert "a &lt;note>" in text
    assert "| **0.12** |" in as_table(ONE)
    assert "<code>a&#124;b</code> is `long(a)`" in text
