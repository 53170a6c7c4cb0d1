"""`pytest suites/test_sweep.py --sweep sweep.toml`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

TEXT = """
dataset = "./small"
seeds = 1
[[grid]]
row = 'dense(model="{model}")'
recipe = "frozen_head"
budget = "smoke"
queries = [8, "all"]
"""


@pytest.fixture
def written(tmp_path: Path, small_folder: Path, tiny_encoder: Path) -> Path:
    path = tmp_path / "trial.toml"
    path.write_text(TEXT.format(model=tiny_encoder), encoding="utf-8")
    return path


def test_a_sweep_is_a_test_and_what_it_found_is_printed(suites: Any, written: Path, tmp_path: Path) -> None:
    outcome = suites("--sweep", written, file="test_sweep.py")
    assert sum(outcome.counts().values()) == 1, outcome.out  # the tiny model may be worse than BM25, which is a failure
    assert "Chosen on dev: dense" in outcome.out
    assert "the sweep is in results/sweeps/trial/" in outcome.out
    assert next((tmp_path / "results" / "sweeps" / "trial").glob("*/sweep.md"))


def test_without_the_option_it_is_skipped_and_the_option_runs_nothing_else(
    suites: Any, written: Path, tmp_path: Path
) -> None:
    assert suites("--benchmark", file="test_sweep.py").counts() == {"skipped": 1}
    assert suites("--sweep", written, file="test_leaderboard.py").counts().keys() == {"skipped"}
    assert not (tmp_path / "results" / "sweeps").exists()


def test_a_fault_of_the_file_is_told_before_anything_runs(suites: Any, written: Path) -> None:
    written.write_text(written.read_text().replace("seeds", "sedes"))
    outcome = suites("--sweep", written, file="test_sweep.py")
    assert outcome.status == 4
    assert "trial.toml, line 3: unknown key 'sedes'; did you mean 'seeds'?" in outcome.err + outcome.out
    assert suites("--executor", "locla", file="test_sweep.py").status == 4
