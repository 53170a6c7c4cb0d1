"""Tokens of an example, and the length at which dev is measured."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from harness.training.lengths import at_length, mean_tokens, tokens_of_example
from harness.training.lesson import Lesson
from harness.training.schedule import Schedule


def model(length: int) -> Any:
    """A model whose tokens are words, with one special token."""

    def tokens(texts: list[str], **settings: Any) -> dict[str, list[list[int]]]:
        return {"input_ids": [[0] * (len(text.split()) + 1) for text in texts]}

    return SimpleNamespace(tokenizer=tokens, max_seq_length=length)


def test_tokens_of_an_example_are_those_that_are_read() -> None:
    columns = {"query": ["a b", "a"], "positive": ["a b c d e f", "a"], "more": [["a", "a b"], ["a", "a"]]}
    lesson = Lesson(columns, lambda model: None, Schedule(), labels=[1.0, 0.0])  # type: ignore[arg-type, return-value]
    assert tokens_of_example(model(5), lesson) == pytest.approx((3 + 2 + 5 + 2 + 2 + 3 + 2 + 2) / 2)
    assert mean_tokens(model(100), ["a b c", "a"]) == 3


def test_tokens_bound_the_steps_whatever_the_epochs() -> None:
    schedule = Schedule(epochs=4, batch=10, tokens=1000, evaluations=2)
    assert schedule.total(100) == 40
    assert schedule.total(100, 5.0) == 20
    assert schedule.total(1_000_000, 5.0) == 20
    assert schedule.total(100, 2.0) == 40
    assert Schedule(steps=7, evaluations=1, tokens=1).total(100, 50.0) == 7


def test_dev_is_measured_at_the_models_own_length() -> None:
    seen: list[int] = []

    def probe(model: Any) -> float:
        seen.append(model.max_seq_length)
        return 0.5

    short = model(32)
    measured = at_length(probe, 256)
    assert measured is not None
    assert measured(short) == 0.5
    assert (seen, short.max_seq_length) == ([256], 32)
    assert at_length(None, 256) is None
