"""A sweep as tables, and its plan."""

from __future__ import annotations

import dataclasses

import pytest

from harness.report.sweep_sheets import planned_sheets, sweep_sheet, time_left
from harness.sweep.estimate import Planned
from harness.sweep.result import SweepResult


def test_the_chosen_row_is_marked_and_baselines_follow(found: SweepResult) -> None:
    sheet = sweep_sheet(found)
    names = sheet.fields[0]
    assert list(names.texts)[-3:] == ["bm25 (baseline)", "low (baseline)", "high (baseline)"]
    marks = next(f for f in sheet.visible if f.heading == "from the chosen")
    assert marks.texts[0] == "chosen"
    assert marks.texts[1].startswith("−")
    assert (sheet.mark(0), sheet.mark(1)) == ("bold green", "")
    assert sheet.groups == [len(found.tried)]
    from_first = next(f for f in sheet.fields if f.key == "from_first_baseline")
    assert from_first.values[list(names.values).index("bm25")] is None


def test_a_terminal_shows_the_best_rows_and_says_so(found: SweepResult) -> None:
    sheet = sweep_sheet(found, 2)
    assert sheet.rows == 2 + len(found.baselines)
    assert sheet.facts == "dev, 4 rows, the best 2"
    assert sweep_sheet(found, None).facts == "dev, 4 rows"


def test_a_row_without_scores_says_so(found: SweepResult) -> None:
    failed = dataclasses.replace(found.tried[-1], problem="no model", skipped=True, cells=())
    sheet = sweep_sheet(dataclasses.replace(found, tried=(*found.tried[:-1], failed), tested=None))
    marks = next(f for f in sheet.visible if f.heading == "from the chosen")
    assert marks.texts[len(found.tried) - 1] == "skipped"


def test_a_plan_sums_what_is_left() -> None:
    parts = [Planned("all of it", 3, 6, 2, 30.0, "cells"), Planned("the rest", 1, 2, 0, None, "unknown")]
    (sheet,), sentence = planned_sheets({"x": parts}, lambda seconds: None)
    assert sentence == "6 of 8 cells are left, which take 2 min and more."
    left = next(f for f in sheet.visible if f.heading == "left")
    assert left.texts == ["2 min", "–"]
    assert planned_sheets({"x": parts[1:]}, lambda _: 1.0)[1] == "2 of 2 cells are left, which take an unknown time."


@pytest.mark.parametrize(("seconds", "text"), [(30, "30 s"), (600, "10 min"), (9000, "2.5 h")])
def test_a_duration_is_readable(seconds: float, text: str) -> None:
    assert time_left(seconds, lambda _: None) == text
    assert time_left(seconds, lambda _: 0.5) == f"{text}, 0.50 dollars"
