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
    assert f"with 300 queries you can see a difference of {least:.3f} between two rows (four times in five)" in found.sentence
    assert "one of 0.01 would take 3," in found.sentence
    close = standing([scored("c", by_query(BASE + NOISE[:, 0] / 100)), scored("d", by_query(BASE))])
    assert "would take" not in close.sentence


def test_one_row_or_rows_that_are_equal_have_nothing_to_show(scored: Scored) -> None:
    alone = standing([scored("alone", by_query(BASE))])
    assert (alone.letters, alone.sentence) == (("a",), "")
    same = standing([scored("one", by_query(BASE)), scored("two", by_query(BASE))])
    assert (same.letters, same.sentence) == (("a", "a"), "")
    single = standing([scored("three", {"q": 1.0}), scored("four", {"q": 0.0})])
    assert (single.letters, single.sentence) == (("a", "a"), "")


def test_other_collections_are_refused(scored: Scored) -> None:
    with pytest.raises(ComparisonError):
        standing([scored("one", by_query(BASE)), scored("two", by_query(BASE), revision="0" * 32)])


def test_letters_go_on_after_z() -> None:
    assert [_letter(n) for n in (0, 25, 26, 52)] == ["a", "z", "a1", "a2"]
