"""What is said of a sweep: the optimism, break-even points, the grid with the chosen row marked."""

from __future__ import annotations

import csv
import dataclasses
import json
from pathlib import Path

import pytest

from harness.report.sweep import board, document, sentences, table, write_sweep
from harness.rows import parse_method
from harness.sweep.result import SweepResult
from harness.sweep.trial import Trial


def test_the_optimism_is_told_in_one_sentence(found: SweepResult) -> None:
    told = sentences(found)
    chosen = next(one for one in found.tried if one.row == "a")
    looked = chosen.mean - found.baselines[0].mean
    assert told[0].startswith(f"Chosen on dev: `a` with 900 training queries, nDCG@10 {chosen.mean:.4f} [")
    assert told[0].endswith("on 40 dev queries, the mean of 2 seeds; the best of 4 rows.")
    assert told[1].startswith(f"It looked {looked:+.4f} on dev, is +0.0500 [+0.0500, +0.0500] on test against `bm25`: ")
    assert f"{looked - 0.05:.4f} less than it looked" in told[1]
    assert told[2].startswith("Choosing among 4 rows on 40 queries makes the best look about 0.00")
    assert told[3].startswith("On test, a is significantly better than bm25: nDCG@10")


def test_a_chosen_row_that_is_a_baseline_too_is_held_against_the_next(found: SweepResult) -> None:
    itself = next(one for one in found.tried if one.row == "a")
    told = sentences(dataclasses.replace(found, baselines=(itself, *found.baselines)))
    assert told[1] == sentences(found)[1]
    assert "on test against `bm25`" in told[1]


def test_what_a_search_gave_up_is_said_not_to_be_counted(found: SweepResult) -> None:
    assert "not counted" not in sentences(dataclasses.replace(found, search="grid"))[2]
    assert (
        "what the search gave up on the way is not counted"
        in sentences(dataclasses.replace(found, search="halving(keep=0.5)"))[2]
    )


def test_break_even_points_are_told_on_test_and_on_dev(found: SweepResult) -> None:
    told = sentences(found)
    assert "On test, `a` passes `bm25` at about 300 training queries." in told
    on_dev = [sentence for sentence in told if sentence.startswith("On dev, `a`")]
    assert on_dev[0].startswith("On dev, `a` passes `bm25` at about 2")
    assert " training queries (95 %: 2" in on_dev[0]
    assert on_dev[1] == "On dev, `a` is above `low` from the smallest size tried on, 100 training queries."
    assert on_dev[2] == "On dev, `a` does not pass `high` within the sizes tried, 100 to 900 training queries."


def test_the_document_has_the_grid_with_the_chosen_marked_and_baselines_below(found: SweepResult) -> None:
    text = document(found, ["curves.svg", "curves.png"])
    lines = [line for line in text.splitlines() if line.startswith("|")]
    assert any(line.startswith("| **`a`** ") and "| **0." in line and " chosen |" in line for line in lines)
    assert any("`bm25` *(baseline)*" in line for line in lines)
    assert "![learning curves](curves.svg)" in text
    assert "curves.png" not in text
    assert "Every figure of this section is of the dev queries" in text
    assert "with 40 queries" in text.lower(), "the verdict in full"
    head, rows = board(found)
    assert head[4:6] == ["from bm25", "95 %"]
    assert rows[0][6] == "chosen"
    assert rows[4][4:6] == ["–", "–"], "the baseline itself"


def test_without_test_figures_and_with_failures_it_says_so(found: SweepResult) -> None:
    bare = dataclasses.replace(found, tested=None)
    assert "It was not reported on test yet." in sentences(bare)
    assert "it broke" in sentences(dataclasses.replace(bare, problem="it broke"))
    failed = Trial(parse_method("bm25"), "gone", "gone", None, "gone", (), "it is absent", skipped=True)
    worse = dataclasses.replace(bare, tried=(*found.tried, failed))
    assert sentences(worse)[-1] == "`gone` has no figures: it is absent"
    assert " skipped |" in document(worse, [])
    alone = dataclasses.replace(bare, tried=(failed,))
    assert sentences(alone) == ["Nothing was chosen: no row has figures for every seed."]


def test_another_choice_before_is_told(found: SweepResult) -> None:
    assert found.tested is not None
    asked = dataclasses.replace(found, tested=dataclasses.replace(found.tested, looked=("old", "a")))
    (told,) = [s for s in sentences(asked) if "asked" in s]
    assert told.startswith("Test was asked 2 times by this sweep: it chose `old` too")


def test_csv_has_a_line_for_each_row_and_seed_and_the_chosen_on_test(found: SweepResult) -> None:
    lines = list(csv.DictReader(table(found).splitlines()))
    assert len(lines) == (4 + 3) * 2 + 2
    assert {line["split"] for line in lines} == {"dev", "test"}
    assert [line["row"] for line in lines if line["chosen"] == "True"] == ["a"] * 4
    first = lines[0]
    assert float(first["low"]) < float(first["value"]) < float(first["high"])


def test_files_are_written_and_stand_without_matplotlib(
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
