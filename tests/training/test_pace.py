"""How long a training takes, before it starts."""

from __future__ import annotations

import contextlib
import dataclasses
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from harness.base.doing import LOGGER
from harness.runtime.context import Context
from harness.training import pace as module
from harness.training.lesson import Lesson, Report
from harness.training.pace import FIRST, FOLDER, Pace, TrainingKind, duration, expected
from harness.training.schedule import Schedule

KIND = TrainingKind("supervised", 1000, "cpu", False, 2, 8, 32, 3)


def test_the_time_is_that_of_the_tokens_by_what_earlier_trainings_of_the_kind_took(context: Context) -> None:
    pace = Pace(KIND, 500.0, context)
    assert pace.seconds(100) is None
    assert pace.label(100) == "train supervised"
    pace.remember(20, 30.0)  # 10,000 tokens in 30 seconds
    assert pace.seconds(100) == pytest.approx(150.0)
    assert pace.label(100) == "train supervised (about 2 min)"
    assert Pace(KIND, 250.0, context).seconds(100) == pytest.approx(75.0)
    assert Pace(dataclasses.replace(KIND, threads=4), 500.0, context).seconds(100) is None
    pace.remember(FIRST, 999.0)  # too few steps to say anything
    assert pace.seconds(100) == pytest.approx(150.0)
    KIND.file(context.cache).write_text("{")
    assert pace.seconds(100) is None


def test_a_schedule_that_bounds_its_tokens_has_an_expected_time_before_there_are_examples(context: Context) -> None:
    schedule = Schedule(tokens=20_000, batch=8, max_length=32)
    assert expected("supervised", schedule, context.cache) is None
    for threads, seconds in ((1, 60.0), (2, 20.0), (4, 10.0)):
        Pace(dataclasses.replace(KIND, threads=threads), 100.0, context).remember(100, seconds)
    assert expected("supervised", schedule, context.cache) == pytest.approx(40.0)
    assert expected("gpl", schedule, context.cache) is None
    assert expected("supervised", dataclasses.replace(schedule, batch=16), context.cache) is None
    assert expected("supervised", dataclasses.replace(schedule, tokens=None), context.cache) is None


def test_the_first_training_of_its_kind_says_how_long_it_takes_after_a_few_steps(
    context: Context, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    now = iter([0.0, *(10.0 + 2 * step for step in range(FIRST + 3))])
    monkeypatch.setattr(module.time, "perf_counter", lambda: next(now))
    done: list[tuple[int, str | None]] = []
    LOGGER.addHandler(caplog.handler)
    caplog.set_level(logging.INFO, LOGGER.name)
    try:
        advance = Pace(KIND, 500.0, context).timed(lambda n=1, note=None: done.append((n, note)), 100)
        next(now)  # what came before the first step does not count
        advance(0, "resumed")
        for step in range(FIRST + 2):
            advance(1, str(step))
    finally:
        LOGGER.removeHandler(caplog.handler)
    assert [record.getMessage() for record in caplog.records] == ["train supervised (about 3 min, without dev)"]
    assert done == [(0, "resumed"), *((1, str(step)) for step in range(FIRST + 2))]


def test_a_training_is_measured_and_the_next_one_knows_its_time(
    lesson_of: Callable[..., Lesson], learn: Callable[..., tuple[Any, Report]], context: Context
) -> None:
    labels: list[str] = []

    @contextlib.contextmanager
    def recording(label: str, total: int, unit: str) -> Iterator[Any]:
        labels.append(label)
        yield lambda n=1, note=None: None

    within = dataclasses.replace(context, progress=recording)
    learn(lesson_of(steps=FIRST + 1), within=within)
    learn(lesson_of(steps=FIRST + 1), folder="second", within=within)
    assert len(list((context.cache.root / FOLDER).glob("*.json"))) == 1
    assert labels[0] == "train supervised"
    assert labels[1].startswith("train supervised (about ")


@pytest.mark.parametrize(("seconds", "text"), [(4.4, "4 s"), (100, "2 min"), (5399, "90 min"), (7200, "2.0 h")])
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text
