"""The columns on other collections, new documents and costs."""

from __future__ import annotations

from collections.abc import Callable

from harness.report.across import Across, AcrossRow
from harness.report.beyond_columns import BEYOND, EXPLAINED, ON_NEW, more_columns
from harness.report.board import Table
from harness.report.markdown import leaderboard


def test_two_datasets_have_no_interval_over_collections(two_datasets: Callable[[], tuple[list[Table], Across]]) -> None:
    found, over = two_datasets()
    assert more_columns(over) == BEYOND, "no query asks about old documents"
    (last,) = [row for row in over.rows if row.name == "last"]
    assert [column.text(last) for column in BEYOND] == ["–", "0/0/2", "–", "–"]
    assert {column.text(AcrossRow("a", (0.5,))) for column in (*BEYOND, *ON_NEW)} == {"–"}
    text = leaderboard(found, over)
    assert "significant w/t/l" in text
    assert "new docs:" not in text
    assert all(column.help in EXPLAINED for column in (*BEYOND, *ON_NEW))


def test_costs_are_in_words() -> None:
    row = AcrossRow("a", (0.5,), training=12.3, index_again=False)
    assert [column.text(row) for column in BEYOND[-2:]] == ["12.3 s", "no"]
