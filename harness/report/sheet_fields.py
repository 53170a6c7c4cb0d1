"""Columns of a sheet that CSV and JSON have as several numbers: intervals, differences, ranges of ranks."""

from __future__ import annotations

from collections.abc import Sequence

from harness.report import formats
from harness.report.sheet import Field
from harness.statistics.bootstrap import Interval
from harness.statistics.family import Difference


def interval_fields(intervals: Sequence[Interval | None], importance: int = 1) -> list[Field]:
    """A confidence interval, and its bounds as `low` and `high`."""
    return [
        Field.label("95 %", [formats.interval(each) for each in intervals], importance, right=True),
        Field.hidden("low", [None if each is None else each.low for each in intervals]),
        Field.hidden("high", [None if each is None else each.high for each in intervals]),
    ]


def difference_fields(
    differences: Sequence[Difference | None], heading: str = "from the best", importance: int = 4, best: str = "best"
) -> list[Field]:
    """A difference with its interval, and as numbers.

    Args:
        differences: of each row; None for the one that the others are compared with.
        heading: of the column.
        importance: of the column.
        best: shown for None.
    """
    texts = [best if each is None else formats.difference(each) for each in differences]
    return [
        Field.label(heading, texts, importance),
        Field.hidden("difference", [None if each is None else each.mean for each in differences]),
        Field.hidden("difference_low", [None if each is None else each.interval.low for each in differences]),
        Field.hidden("difference_high", [None if each is None else each.interval.high for each in differences]),
        Field.hidden("p", [None if each is None else each.p for each in differences]),
    ]


def rank_fields(ranks: Sequence[tuple[int, int] | None], tied: Sequence[bool | None]) -> list[Field]:
    """The ends of a range of ranks, and whether a row is tied with the best, as numbers."""
    return [
        Field.hidden("rank_first", [None if each is None else each[0] for each in ranks]),
        Field.hidden("rank_last", [None if each is None else each[1] for each in ranks]),
        Field.hidden("tied_with_best", list(tied)),
    ]
