"""Intervals, differences and ranks as text for people and as numbers for programs."""

from harness.report.sheet_fields import difference_fields, interval_fields, rank_fields
from harness.statistics.bootstrap import Interval
from harness.statistics.family import Difference


def numbers(fields: list) -> dict:
    return {field.key: list(field.values) for field in fields if field.key}


def test_an_interval() -> None:
    fields = interval_fields([Interval(0.25, 0.5), None])
    assert fields[0].texts == ["0.250 – 0.500", "–"]
    assert numbers(fields) == {"low": [0.25, None], "high": [0.5, None]}


def test_a_difference() -> None:
    fields = difference_fields([None, Difference(-0.5, Interval(-0.75, -0.25), 0.01, 0.1)])
    assert fields[0].texts == ["best", "−0.5000 [−0.750, −0.250]"]
    assert numbers(fields) == {
        "difference": [None, -0.5],
        "difference_low": [None, -0.75],
        "difference_high": [None, -0.25],
        "p": [None, 0.01],
    }


def test_ranks() -> None:
    assert numbers(rank_fields([(1, 3), None], [False, None])) == {
        "rank_first": [1, None],
        "rank_last": [3, None],
        "tied_with_best": [False, None],
    }
