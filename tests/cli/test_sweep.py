"""`harness sweep`: bad input before anything runs, and the estimate of a dry run."""

from __future__ import annotations

from pathlib import Path

SWEEP = """
dataset = "./small"
baseline = ["bm25"]
seeds = 1

[[grid]]
row = "dense"
recipe = "frozen_head"
learning_rate = [5e-4, 1e-3]
"""


def test_a_file_that_is_not_there_or_an_unknown_executor_is_bad_input(harness_command, tmp_path: Path) -> None:
    said = harness_command("sweep", "nowhere.toml")
    assert said.status == 2
    assert "nowhere.toml" in said.err
    said = harness_command("sweep", "nowhere.toml", "--executor", "rya")
    assert said.status == 2
    assert "did you mean 'ray'" in said.err


def test_a_dry_run_estimates_and_runs_nothing(harness_command, small_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "trial.toml").write_text(SWEEP)
    said = harness_command("sweep", "trial.toml", "--dry-run")
    assert said.status == 0, said.err
    assert "./small" in said.out
    assert not (tmp_path / "results").exists()


def test_the_time_it_takes_is_printed_before_it_starts(harness_command, small_folder: Path) -> None:
    said = harness_command("tune", "bm25", "k1=0.6,1.2", "--dataset", "./small", "--seeds", "1")
    assert said.status == 0, said.err
    lines = said.err.splitlines()
    (estimate,) = [number for number, line in enumerate(lines) if " cells are left, which take " in line]
    (first,) = [number for number, line in enumerate(lines) if line.startswith("1/2 ")]
    assert estimate < first
