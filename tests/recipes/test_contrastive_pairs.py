"""Contrastive pairs: gold pairs and mined ones, each by itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from harness.data.dataset import TrainView
from harness.methods import fit
from harness.recipes.contrastive_pairs import ContrastivePairs
from harness.recipes.supervised import Supervised
from harness.runtime.context import Context
from harness.training.lesson import Lesson

Lessons = Callable[..., Lesson]


def test_a_relevant_pair_has_the_label_1_and_a_mined_one_0(lesson_of: Lessons, view: TrainView) -> None:
    theirs = lesson_of(Supervised(budget="smoke", negatives=2), view).columns
    lesson = lesson_of(ContrastivePairs(budget="smoke", negatives=2), view)
    expected = []
    for name, label in (("positive", 1.0), ("negative_1", 0.0), ("negative_2", 0.0)):
        expected += [(query, text, label) for query, text in zip(theirs["query"], theirs[name], strict=True)]
    assert lesson.labels is not None
    assert list(zip(*lesson.columns.values(), lesson.labels, strict=True)) == expected


def test_the_share_of_irrelevant_pairs_that_teach_is_recorded(view: TrainView, row: Any, context: Context) -> None:
    recipe = ContrastivePairs(budget="smoke", margin=2.0, batch=16)
    facts = fit(row(recipe), view, context).resolved["training"][0]["facts"]
    assert {value for _, value in facts["non_trivial"]} == {1.0}
