"""Numbers as the boards show them."""

from __future__ import annotations

import math

from harness.report import formats
from harness.statistics.bootstrap import Interval
from harness.statistics.family import Difference

WORSE = Difference(-0.01234, Interval(-0.02, -0.0041), 0.01, 0.002)
TIED = Difference(-0.01234, Interval(-0.03, 0.0041), 0.25, 0.005)


def test_a_score_has_four_decimals_and_a_missing_one_is_a_dash() -> None:
    assert [formats.score(v) for v in (0.67891, 1.0, 0.0, None)] == ["0.6789", "1.0000", "0.0000", "–"]


def test_a_difference_is_shown_with_its_interval() -> None:
    assert formats.difference(WORSE) == "−0.0123 [−0.020, −0.004]"
    assert formats.difference(TIED) == "−0.0123 [−0.030, +0.004]"
    assert formats.difference(Difference(0.0, Interval(0.0, 0.0), 1.0, 0.0)) == "+0.0000 [+0.000, +0.000]"
    assert formats.difference(Difference(0.1, Interval(-math.inf, math.inf), 1.0, 0.1)) == "+0.1000"
    assert formats.difference(None) == "–"


def test_a_range_of_one_rank_is_one_number_and_no_range_a_dash() -> None:
    assert [formats.ranks(each) for each in ((1, 4), (2, 2), None)] == ["1–4", "2", "–"]


def test_a_bar_shows_where_a_range_of_ranks_is() -> None:
    assert [formats.rank_bar(each, 4) for each in ((1, 1), (1, 4), (2, 3), (4, 4))] == ["━···", "━━━━", "·━━·", "···━"]
    assert formats.rank_bar((1, 7), 39) == "━━━·········"
    assert formats.rank_bar((39, 39), 39) == "···········━"
    assert formats.rank_bar((1, 1), 1) == "━"
    for last in range(1, 40):
        for first in range(1, last + 1):
            assert "━" in formats.rank_bar((first, last), 39)


def test_long_times_are_shown_without_decimals() -> None:
    assert [formats.seconds(each) for each in (2.54, 99.94, 142.4)] == ["2.5 s", "99.9 s", "142 s"]
