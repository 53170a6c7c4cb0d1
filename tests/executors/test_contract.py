"""What holds for every file of the room."""

from __future__ import annotations

import dataclasses
import json

import pytest

from harness.executors import EXECUTORS, Executor
from harness.expressions import parse

ROOMS = {EXECUTORS.package: EXECUTORS}


@pytest.fixture(params=EXECUTORS.names())
def executor(request: pytest.FixtureRequest) -> Executor:
    return EXECUTORS.get(request.param)()


def test_an_executor_is_a_frozen_value_that_needs_no_setting(executor: Executor) -> None:
    assert parse(str(executor), EXECUTORS, ROOMS) == executor
    assert parse(executor.full(), EXECUTORS, ROOMS) == executor
    assert json.loads(json.dumps(executor.settings())) == executor.settings()
    for field in dataclasses.fields(executor):  # type: ignore[arg-type]
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(executor, field.name, 1)


def test_it_says_in_one_line_what_it_is(executor: Executor) -> None:
    assert EXECUTORS.summary(executor.name())
