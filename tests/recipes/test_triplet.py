"""Triplet: each gold pair against one mined negative at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from harness.data.dataset import TrainView
from harness.methods import fit
from harness.recipes.supervised import Supervised
from harness.recipes.triplet import Triplet
from harness.runtime.context import Context
from harness.training.lesson import Lesson

Lessons = Callable[..., Lesson]


def test_the_triplets_are_those_of_supervised_one_negative_at_a_time(lesson_of: Lessons, view: TrainView) -> None:
    theirs = lesson_of(Supervised(budget="smoke", negatives=2), view).columns
    mine = lesson_of(Triplet(budget="smoke", negatives=2), view).columns
    expected = []
    for name in ("negative_1", "negative_2"):
        expected += list(zip(theirs["query"], theirs["positive"], theirs[name], strict=True))
    assert list(zip(*mine.values(), strict=True)) == expected
    assert list(mine) == ["query", "positive", "negative_1"]


def test_the_share_of_triplets_that_teach_is_recorded_by_step(view: TrainView, row: Any, context: Context) -> None:
    for margin, share in ((1.9, 1.0), (1e-6, None)):
        facts = fit(row(Triplet(budget="smoke", margin=margin)), view, context).resolved["training"][0]["facts"]
        assert [step for step, _ in facts["non_trivial"]] == [1, 2, 3, 4]
        if share is not None:
            assert {value for _, value in facts["non_trivial"]} == {share}
        else:
            assert min(value for _, value in facts["non_trivial"]) < 1
