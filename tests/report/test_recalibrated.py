"""The board of a collection that machines judged: a note, and corrected means, best first."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from harness.compare.calibration import Calibration
from harness.compare.evidence import Scores
from harness.report.board import Line, Table
from harness.report.recalibrated import recalibrated

IDS = [f"q{i}" for i in range(30)]
RNG = np.random.default_rng(0)


def calibrated(row: Scores, shift: float) -> Scores:
    machine = RNG.random((30, 1))
    people = np.clip(machine[:12] + shift, 0, 1)
    own = Calibration(("dense",), (), 30, 0.6, 12, people, machine[:12], machine[12:], 1.0)
    return dataclasses.replace(row, calibration=own)


@pytest.fixture
def rows(scored: Callable[..., Any]) -> dict[Line, Scores]:
    found = [scored(name, dict.fromkeys(IDS, value)) for name, value in (("first", 0.9), ("second", 0.5))]
    return {Line(row.row, row.records): row for row in found}


def test_corrected_means_replace_those_of_the_records_best_first(rows: dict[Line, Scores]) -> None:
    given = {line: calibrated(row, shift) for (line, row), shift in zip(rows.items(), (-0.9, 0.3), strict=True)}
    table, found = recalibrated(Table("d", ("nDCG@10",), tuple(given)), given)
    assert [line.row for line in table.lines] == ["second", "first"] == [row.row for row in found.values()]
    for line, row in found.items():
        assert line.value("nDCG@10") == pytest.approx(row.mean, abs=1e-6)
    assert any("Calibrated" in note for note in table.more_notes)


def test_machine_labels_alone_get_a_note(rows: dict[Line, Scores]) -> None:
    favoured = {"first": ("dense",), "second": ()}
    own = {row: Calibration(("dense",), judges, 30) for row, judges in favoured.items()}
    given = {line: dataclasses.replace(row, calibration=own[row.row]) for line, row in rows.items()}
    table, found = recalibrated(Table("d", ("nDCG@10",), tuple(given)), given)
    assert [line.row for line in table.lines] == ["first", "second"]
    assert list(found.values()) == list(given.values())
    notes = " ".join(table.more_notes)
    assert "Uncalibrated: all labels are by dense" in notes
    assert "shares a model with `first`" in notes
