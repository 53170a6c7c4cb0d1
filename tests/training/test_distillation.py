"""A teacher's scores of gold groups: in their order, divided by the temperature."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from harness.data.queries import Queries
from harness.runtime.context import Context
from harness.training.distillation import taught
from harness.training.from_gold import Mined
from harness.training.gold import Gold
from harness.training.negatives import Negatives

QUERIES = Queries(["q0", "q1"], ["one", "two"])
ROWS = [np.array([3]), np.array([5, 7])]
PAIRS = [(0, 3), (1, 5), (1, 7)]
NEGATIVES = np.array([[1, 2], [2, 9], [4, 6]])


@pytest.fixture
def mined() -> Mined:
    known = Gold(QUERIES, tuple(ROWS), tuple(ROWS), tuple(ROWS))
    return Mined(known, PAIRS, Negatives(NEGATIVES, None, {}), {})


def score(text: str, row: int) -> float:
    return 10.0 * len(text) + row if row != 3 else 40.0


def test_groups_are_scored_in_their_order(
    scored: Callable[..., Any], mined: Mined, view: Any, context: Context
) -> None:
    learnt = taught(scored("teacher", score), mined, view, context, temperature=2.0)
    texts = ["one", "two", "two"]
    expected = [
        [score(text, row) / 2 for row in (own, *others)]
        for text, (_, own), others in zip(texts, PAIRS, NEGATIVES.tolist(), strict=True)
    ]
    assert np.allclose(learnt.labels(), expected)
    assert learnt.facts["temperature"] == 2
    assert learnt.facts["positive_first_by_teacher"] == pytest.approx(2 / 3, abs=1e-4)


def test_without_a_temperature_the_deviation_within_a_group_becomes_one(
    scored: Callable[..., Any], mined: Mined, view: Any, context: Context
) -> None:
    learnt = taught(scored("teacher", score), mined, view, context)
    plain = taught(scored("teacher", score), mined, view, context, temperature=1.0).scores
    assert learnt.scores.var(axis=1).mean() == pytest.approx(1, abs=1e-5)
    assert learnt.facts["temperature"] == pytest.approx(float(np.sqrt(plain.var(axis=1).mean())), abs=1e-3)


def test_a_teacher_that_finds_all_alike_is_no_division_by_zero(
    scored: Callable[..., Any], mined: Mined, view: Any, context: Context
) -> None:
    learnt = taught(scored("teacher", lambda text, row: 1.0), mined, view, context)
    assert learnt.facts["temperature"] == 1
    assert (learnt.scores == 1).all()
