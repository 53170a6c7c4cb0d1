"""The words for the best row, the rows tied with it, and the family of tests."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from harness.compare.comparison import Comparison, compare
from harness.compare.evidence import Scores
from harness.compare.ties import best_sentence, family_sentence

RNG = np.random.default_rng(3)
BASE = RNG.uniform(0.3, 0.7, 80)


def board(scored: Callable[..., Scores], *shifts: float) -> Comparison:
    rows = []
    for i, shift in enumerate(sorted(shifts, reverse=True)):
        values = BASE + shift + RNG.normal(0, 0.02, 80)
        rows.append(scored(f"r{i}", {f"q{j:02}": round(float(v), 6) for j, v in enumerate(values)}))
    return compare(sorted(rows, key=lambda row: -row.mean))


def test_the_best_the_tied_and_the_others_are_one_sentence(scored: Callable[..., Scores]) -> None:
    found = board(scored, 0.0, 0.1, 0.1, -0.2)
    sentence = best_sentence(found, "nDCG@10", 0.6)
    low, high = found.intervals[0].low, found.intervals[0].high
    best, tied = found.rows[0], found.rows[1]
    start = f"Best: `{best}`, nDCG@10 0.6000 [{low:.3f}, {high:.3f}] over 80 queries"
    assert sentence == f"{start}; tied with it: `{tied}`; 2 other rows are significantly worse."


def test_all_others_worse_or_all_tied_or_none_there(scored: Callable[..., Scores]) -> None:
    assert best_sentence(board(scored, 0.0, 0.2), "m", 0.5).endswith("; the other row is significantly worse.")
    assert best_sentence(board(scored, 0, 0.2, -0.1), "m", 0.5).endswith("; both other rows are significantly worse.")
    three = best_sentence(board(scored, 0, 0.2, -0.1, -0.2), "m", 0.5)
    assert three.endswith("; all 3 other rows are significantly worse.")
    alone = board(scored, 0.0)
    assert best_sentence(alone, "m", 0.5).endswith(" over 80 queries.")
    assert family_sentence(alone) == ""


def test_of_many_tied_rows_some_are_named(scored: Callable[..., Scores]) -> None:
    found = board(scored, *[0.0] * 7)
    sentence = best_sentence(found, "m", 0.5)
    if all(behind.tied for behind in found.behind[1:]):
        assert sentence.endswith("and 2 more.")
    assert sentence.count("`") <= 2 * 5


def test_the_family_is_named_with_its_critical_value(scored: Callable[..., Scores]) -> None:
    found = board(scored, 0.0, 0.1, 0.2)
    assert family_sentence(found).endswith(f"hold together for {found.corrected}.")
    assert found.corrected.startswith("3 pairs of 3 rows (c = ")
