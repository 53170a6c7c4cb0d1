"""Intervals, groups and what the queries can show, for the rows of a board."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from harness.bench.evidence import Scores
from harness.bench.standing import _letter, standing
from harness.errors import ComparisonError
from harness.statistics.power import smallest_difference

Scored = Callable[..., Scores]
RNG = np.random.default_rng(1)
BASE = RNG.uniform(0.2, 0.8, 300)
NOISE = RNG.normal(0, 0.2, (300, 4))


def by_query(column: np.ndarray) -> dict[str, float]:
    return {f"q{i}": round(float(v), 6) for i, v in enumerate(column)}


def test_rows_that_cannot_be_told_apart_share_a_letter(scored: Scored) -> None:
    best, twin = (
        scored("best", by_query(BASE + 0.1)),
        scored("twin", by_query(BASE + 0.1 + (NOISE[:, 0] - NOISE[:, 0].mean()) * 0.1)),
    )
    last = scored("last", by_query(BASE - 0.1 + (NOISE[:, 1] - NOISE[:, 1].mean()) * 0.1))
    found = standing([best, twin, last])
    assert found.rows == ("best", "twin", "last")
    assert found.letters == ("a", "a", "b")
    assert all(i.low < s.mean < i.high for i, s in zip(found.intervals, (best, twin, last), strict=True))
    assert found.queries == 300


def test_a_row_between_two_shares_a_letter_with_each(scored: Scored) -> None:
    noise = NOISE - NOISE.mean(0)
    rows = [scored(n, by_query(BASE + s + noise[:, i])) for i, (n, s) in enumerate([("a", 0.06), ("b", 0.03), ("c", 0.0)])]
    assert standing(rows).letters == ("a", "ab", "b")


def test_another_seeds_luck_does_not_tell_rows_apart(scored: Scored) -> None:
    def seeds(*shifts: float) -> list[dict[str, float]]:
        return [by_query(BASE + shift) for shift in shifts]

    one, other = scored("one", *seeds(0.02, 0.05, -0.02)), scored("other", *seeds(0.0, 0.02, -0.04))
    assert standing([one, other]).letters == ("a", "a")
    assert standing([scored("first", *seeds(0.02)), scored("second", *seeds(0.0))]).letters == ("a", "b")


def test_the_sentence_says_what_the_queries_can_show(scored: Scored) -> None:
    found = standing([scored("a", by_query(BASE + NOISE[:, 0])), scored("b", by_query(BASE))])
    least = smallest_difference(float(NOISE[:, 0].std(ddof=1)), 300)
    assert found.smallest == pytest.approx(least, rel=1e-3)
    alone = f"with 300 queries you can see a difference of {least:.3f} between two rows asked for alone (four times in five)"
    assert found.sentence.startswith(f"{alone}; one of 0.01, asked for alone, would take 3,")
    close = standing([scored("c", by_query(BASE + NOISE[:, 0] / 100)), scored("d", by_query(BASE))])
    assert "would take" not in close.sentence


def test_one_row_or_rows_that_are_equal_have_nothing_to_show(scored: Scored) -> None:
    alone = standing([scored("alone", by_query(BASE))])
    assert (alone.letters, alone.sentence) == (("a",), "")
    same = standing([scored("one", by_query(BASE)), scored("two", by_query(BASE))])
    assert (same.letters, same.sentence) == (("a", "a"), "")
    single = standing([scored("three", {"q": 1.0}), scored("four", {"q": 0.0})])
    assert single.letters == ("a", "a")


def test_few_queries_are_said_to_show_nothing_and_many_rows_to_show_less(scored: Scored) -> None:
    few = [scored(name, by_query(BASE[:5] + shift + NOISE[:5, i])) for i, (name, shift) in enumerate([("a", 0.2), ("b", 0.0)])]
    assert standing(few).sentence == "with 5 queries hardly any difference between two rows can be shown"
    rows = [scored(f"r{i}", by_query(BASE + NOISE[:, i])) for i in range(4)]
    found = standing(rows)
    assert found.smallest_of_all == pytest.approx(smallest_difference(found.deviation, 300, 0.05 / 6))
    assert f", of {found.smallest_of_all:.3f} among all pairs of 4 rows" in found.sentence
    nine = standing([scored(f"s{i}", by_query(BASE[:9] + NOISE[:9, i])) for i in range(4)])
    assert ", hardly any among all pairs of 4 rows" in nine.sentence


def test_boards_of_many_rows_still_tell_apart_what_differs(scored: Scored) -> None:
    rng = np.random.default_rng(9)
    base = rng.uniform(0.2, 0.8, 1500)
    rows = [scored(f"r{i:02}", by_query(base - 0.002 * i + rng.normal(0, 0.05, 1500))) for i in range(70)]
    letters = standing(rows).letters
    assert not set(letters[0]) & set(letters[-1])


def test_other_collections_are_refused(scored: Scored) -> None:
    with pytest.raises(ComparisonError):
        standing([scored("one", by_query(BASE)), scored("two", by_query(BASE), revision="0" * 32)])


def test_letters_go_on_after_z() -> None:
    assert [_letter(n) for n in (0, 25, 26, 52)] == ["a", "z", "a1", "a2"]
