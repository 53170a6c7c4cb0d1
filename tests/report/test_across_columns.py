"""The columns of the table across datasets."""

from __future__ import annotations

from collections.abc import Callable

from harness.compare.across_datasets import Against, Overall
from harness.report.across import Across, AcrossRow
from harness.report.across_columns import AGAINST, EXPLAINED, across_columns
from harness.report.board import Table
from harness.statistics.bootstrap import Interval
from harness.statistics.family import Difference

TIED = Difference(-0.01234, Interval(-0.03, 0.0041), 0.25, 0.005)


def test_a_row_against_the_first_is_shown_with_signs_and_counts() -> None:
    overall = Overall(Interval(0.1, 0.2), (2, 2), Against(TIED, (1, 0, 2), (1000, 5, 20)))
    texts = ["−0.0123 [−0.030, +0.004]", "1/0/2", "1000/5/20", "0.2500"]
    row = AcrossRow("a", (0.5,), overall)
    assert [column.text(row) for column in AGAINST] == texts
    assert [column.sort_key(row) for column in AGAINST] == [-0.01234, 1, 1000, 0.25]
    assert {column.text(AcrossRow("a", (0.5,))) for column in AGAINST} == {"–"}
    assert overall.tied


def test_papers_have_no_ranks_and_each_writer_has_one_column_of_intervals(
    two_datasets: Callable[[], tuple[list[Table], Across]],
) -> None:
    _, over = two_datasets()
    headings = ["d1", "d2", "mean", "95 %"]
    assert [column.heading for column in across_columns(over, "latex")] == headings
    for writer in ("markdown", "page", "terminal"):
        assert [column.heading for column in across_columns(over, writer)] == [*headings, "rank", "ranks"]


def test_every_column_with_help_is_explained() -> None:
    assert all(column.help in EXPLAINED for column in AGAINST)
