"""What holds for every file of the room."""

from __future__ import annotations

import dataclasses
import json

import pytest

from harness.base.errors import SettingError, UnknownName
from harness.choices.expression import parse
from harness.judges import JUDGES, MEANING, Judge
from harness.judges.row import Row
from harness.methods.dense import Dense
from harness.rows import ROOMS, parse_judge


@pytest.mark.parametrize("name", JUDGES.names())
def test_a_judge_is_a_frozen_value(name: str) -> None:
    judge = JUDGES.get(name)()
    assert isinstance(judge, Judge)
    assert parse(str(judge), JUDGES, ROOMS) == parse(judge.full(), JUDGES, ROOMS) == judge
    assert json.loads(json.dumps(judge.settings())) == judge.settings()
    assert judge.models()
    assert parse_judge(judge.label()) == judge
    assert "Args:" in (type(judge).__doc__ or "")
    with pytest.raises(dataclasses.FrozenInstanceError):
        judge.room = "x"  # type: ignore[misc]


def test_a_row_is_a_judge_under_its_own_name() -> None:
    assert parse_judge("dense") == Row(Dense())
    assert parse_judge("row(third=0.95)") == Row(third=0.95)
    assert parse_judge('chat(model="m")').name() == "chat"
    with pytest.raises(UnknownName):
        parse_judge("nothing")
    with pytest.raises(SettingError):
        parse_judge("row(third=9)")


def test_every_grade_has_a_meaning() -> None:
    assert len(MEANING) == 4
