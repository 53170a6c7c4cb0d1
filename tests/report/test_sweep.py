"""What is said of a sweep: the optimism, break-even points, the grid with the chosen row marked."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from harness.report.sweep import board, document, write_sweep
from harness.report.sweep_sentences import sentences
from harness.rows import parse_method
from harness.sweep.result import SweepResult
from harness.sweep.trial import Trial


def test_the_document_has_the_grid_with_the_chosen_marked_and_baselines_below(found: SweepResult) -> None:
    text = document(found, ["curves.svg", "curves.png"])
    lines = [line for line in text.splitlines() if line.startswith("|")]
    assert any(line.startswith("| **`a`** ") and "| **0." in line and " chosen |" in line for line in lines)
    assert any("`bm25` *(baseline)*" in line for line in lines)
    assert "![learning curves](curves.svg)" in text
    assert "curves.png" not in text
    assert "All scores of this section are of the dev queries" in text
    assert "40 queries detect a difference of" in text, "the verdict in full"
    head, rows = board(found)
    assert head[4:6] == ["from bm25", "95 %"]
    assert rows[0][6] == "chosen"
    assert rows[4][4:6] == ["–", "–"], "the baseline itself"


def test_without_test_figures_and_with_failures_it_says_so(found: SweepResult) -> None:
    bare = dataclasses.replace(found, tested=None)
    assert "It has not been evaluated on test yet." in sentences(bare)
    assert "it broke" in sentences(dataclasses.replace(bare, problem="it broke"))
    failed = Trial(parse_method("bm25"), "gone", "gone", None, "gone", (), "it is absent", skipped=True)
    worse = dataclasses.replace(bare, tried=(*found.tried, failed))
    assert sentences(worse)[-1] == "`gone` has no scores: it is absent"
    assert " skipped |" in document(worse, [])
    alone = dataclasses.replace(bare, tried=(failed,))
    assert sentences(alone) == ["Nothing was chosen: no row has scores for every seed."]


def test_files_are_written_without_matplotlib(
    found: SweepResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness.report.sweep.find_spec", lambda name: None)
    assert [path.name for path in write_sweep(found, tmp_path)] == ["sweep.md", "sweep.csv", "sweep.json"]
    told = json.loads((tmp_path / "sweep.json").read_text())
    assert told["chosen"] == parse_method("bm25").full()
    assert told["test"]["is"] == pytest.approx(0.05)
    assert told["curves_on_dev"][0]["break_even"]["high"]["at"] == "not within the sizes tried"
    assert "curves" not in (tmp_path / "sweep.md").read_text().replace("Learning curves", "")
    first = (tmp_path / "sweep.md").read_bytes()
    write_sweep(found, tmp_path)
    assert (tmp_path / "sweep.md").read_bytes() == first
