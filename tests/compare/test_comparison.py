"""Intervals, ranks and what the queries can show, for the rows of a board."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pytest

from harness.base.errors import ComparisonError
from harness.compare.comparison import compare
from harness.compare.evidence import Scores, contrasts
from harness.statistics.power import smallest_difference

Scored = Callable[..., Scores]
RNG = np.random.default_rng(1)
BASE = RNG.uniform(0.2, 0.8, 300)
NOISE = RNG.normal(0, 0.2, (300, 4))


def by_query(column: np.ndarray) -> dict[str, float]:
    return {f"q{i}": round(float(v), 6) for i, v in enumerate(column)}


def test_tied_rows_and_a_row_that_is_worse(scored: Scored) -> None:
    best, twin = (
        scored("best", by_query(BASE + 0.1)),
        scored("twin", by_query(BASE + 0.1 + (NOISE[:, 0] - NOISE[:, 0].mean()) * 0.1)),
    )
    last = scored("last", by_query(BASE - 0.1 + (NOISE[:, 1] - NOISE[:, 1].mean()) * 0.1))
    found = compare([best, twin, last])
    assert found.rows == ("best", "twin", "last")
    assert found.ranks == ((1, 2), (1, 2), (3, 3))
    assert found.letters == (("a",), ("a",), ("b",))
    assert [each.tied for each in found.behind] == [True, True, False]
    assert found.behind[2].mean == pytest.approx(-0.2, abs=1e-6)
    assert found.better.tolist() == [[False, False, True], [False, False, True], [False, False, False]]
    assert all(i.low < s.mean < i.high for i, s in zip(found.intervals, (best, twin, last), strict=True))
    assert found.queries == 300
    assert found.corrected.startswith("3 pairs of 3 rows (c = 2.")
    assert [position.place for position in found.positions] == [0, 1, 2]
    assert [position.behind for position in found.positions] == [None, *found.behind[1:]]


def test_a_row_between_two_is_tied_with_each(scored: Scored) -> None:
    noise = NOISE - NOISE.mean(0)
    rows = [
        scored(n, by_query(BASE + s + noise[:, i])) for i, (n, s) in enumerate([("a", 0.06), ("b", 0.03), ("c", 0.0)])
    ]
    found = compare(rows)
    assert found.letters == (("a",), ("a", "b"), ("b",))
    assert found.ranks == ((1, 2), (1, 3), (2, 3))


def test_rows_far_behind_are_not_tied_with_the_best_on_a_board_whose_letters_run_past_z(scored: Scored) -> None:
    """Letters were compared as characters once, so that the groups `a` and `a1` had a row in common."""
    steps = [scored(f"r{i:02}", by_query(BASE + 0.3 - 0.02 * i + NOISE[:, i % 4] * 0.3)) for i in range(40)]
    found = compare(sorted(steps, key=lambda row: -row.mean))
    assert len({letter for letters in found.letters for letter in letters}) > 26
    assert any(len(letter) > 1 for letters in found.letters for letter in letters)
    for row, position in enumerate(found.positions[1:], start=1):
        assert position.behind is not None
        assert position.behind.tied is not bool(found.better[0, row])
        assert (position.behind.interval.high < 0) is bool(found.better[0, row])
    assert found.positions[-1].ranks[0] > 20
    assert not found.behind[-1].tied


def test_another_seeds_luck_is_no_difference(scored: Scored) -> None:
    def seeds(*shifts: float) -> list[dict[str, float]]:
        return [by_query(BASE + shift) for shift in shifts]

    one, other = scored("one", *seeds(0.02, 0.05, -0.02)), scored("other", *seeds(0.0, 0.02, -0.04))
    assert compare([one, other]).ranks == ((1, 2), (1, 2))
    assert compare([scored("first", *seeds(0.02)), scored("second", *seeds(0.0))]).ranks == ((1, 1), (2, 2))


def test_a_board_of_two_rows_says_what_a_single_planned_comparison_says(scored: Scored) -> None:
    rows = [scored("one", by_query(BASE + 0.02 + NOISE[:, 0])), scored("other", by_query(BASE + NOISE[:, 1]))]
    (alone,) = contrasts([(rows[1], rows[0])])
    assert compare(rows).behind[1] == alone.tested


def test_rows_that_are_added_widen_the_intervals_and_the_board_says_so(scored: Scored) -> None:
    rows = [scored(f"r{i}", by_query(BASE + NOISE[:, i % 4] * (1 + i / 9) - i / 200)) for i in range(9)]
    widths = []
    for count in (2, 5, 9):
        found = compare(rows[:count])
        widths.append(found.behind[1].interval.high - found.behind[1].interval.low)
        pairs = count * (count - 1) // 2
        assert found.corrected.startswith("one pair of rows" if count == 2 else f"{pairs} pairs of {count} rows")
        assert (f"between any two of {count} rows, or " in found.power) is (count > 2)
    assert widths == sorted(widths)


def test_the_sentence_says_what_the_queries_can_show(scored: Scored) -> None:
    found = compare([scored("a", by_query(BASE + NOISE[:, 0])), scored("b", by_query(BASE))])
    least = smallest_difference(float(NOISE[:, 0].std(ddof=1)), 300, found.family.pairwise_alpha())
    assert found.smallest == pytest.approx(least, rel=1e-3)
    critical = found.family.largest.critical()
    assert least == pytest.approx((critical + 0.8416) * NOISE[:, 0].std(ddof=1) / 300**0.5, rel=0.01)
    assert found.corrected == f"one pair of rows (c = {critical:.2f})"
    detected = f"300 queries detect a difference of {least:.3f} with 80 % power"
    assert re.fullmatch(rf"{re.escape(detected)}; 3,\d+ queries would detect 0\.01", found.power)
    close = compare([scored("c", by_query(BASE + NOISE[:, 0] / 100)), scored("d", by_query(BASE))])
    assert "would detect" not in close.power


def test_one_row_or_rows_that_are_equal_have_nothing_to_show(scored: Scored) -> None:
    alone = compare([scored("alone", by_query(BASE))])
    assert (alone.ranks, alone.letters, alone.power, alone.corrected) == (((1, 1),), (("a",),), "", "")
    same = compare([scored("one", by_query(BASE)), scored("two", by_query(BASE))])
    assert (same.ranks, same.power) == (((1, 2), (1, 2)), "")
    single = compare([scored("three", {"q": 1.0}), scored("four", {"q": 0.0})])
    assert single.ranks == ((1, 2), (1, 2))
    assert single.behind[1].tied


def test_few_queries_are_said_to_show_nothing_and_many_rows_to_show_less(scored: Scored) -> None:
    few = [
        scored(name, by_query(BASE[:5] + shift + NOISE[:5, i]))
        for i, (name, shift) in enumerate([("a", 0.2), ("b", 0.0)])
    ]
    assert compare(few).power == "5 queries cannot reliably detect any difference between two rows"
    rows = [scored(f"r{i}", by_query(BASE + NOISE[:, i])) for i in range(4)]
    found = compare(rows)
    assert found.smallest > found.smallest_planned
    start = f"300 queries detect a difference of {found.smallest:.3f} with 80 % power between any "
    assert found.power.startswith(start)
    assert f", or {found.smallest_planned:.3f} in a single planned comparison" in found.power


def test_boards_of_many_rows_still_show_what_differs_and_say_how_they_are_corrected(scored: Scored) -> None:
    rng = np.random.default_rng(9)
    base = rng.uniform(0.2, 0.8, 300)
    rows = [scored(f"r{i:03}", by_query(base - 0.001 * i + rng.normal(0, 0.02, 300))) for i in range(400)]
    found = compare(rows)
    assert found.better[0, -1]
    assert found.letters == ((),) * 400
    assert "by Student's t and Bonferroni: too many to resample" in found.corrected


def test_other_collections_are_refused(scored: Scored) -> None:
    with pytest.raises(ComparisonError):
        compare([scored("one", by_query(BASE)), scored("two", by_query(BASE), revision="0" * 32)])
