from __future__ import annotations

from pathlib import Path

import pytest

from harness.base.errors import SettingError
from harness.base.toml_files import File, read
from harness.searches import Range
from harness.sweep.space import located, read_grid, trained

GRID = """
dataset = "d"

[[grid]]
row = "dense"
recipe = ["supervised", "frozen_head"]
queries = [16, "all", 8]
learning_rate = { low = 1e-5, high = 1e-3, log = true }
"""


@pytest.fixture
def file(tmp_path: Path) -> File:
    path = tmp_path / "trial.toml"
    path.write_text(GRID, encoding="utf-8")
    return read(path)


def test_a_grid_has_an_axis_for_each_key_and_sizes_in_order(file: File) -> None:
    axes = read_grid(file, 0)
    assert list(axes) == ["row", "recipe", "queries", "learning_rate"]
    assert axes["recipe"] == ("supervised", "frozen_head")
    assert axes["queries"] == (8, 16, None)
    assert axes["learning_rate"] == Range(1e-5, 1e-3, log=True)


def test_a_range_that_does_not_increase_is_refused_with_its_line(file: File, tmp_path: Path) -> None:
    text = GRID.replace("low = 1e-5", "low = 0")
    (tmp_path / "trial.toml").write_text(text, encoding="utf-8")
    with pytest.raises(SettingError, match="learning_rate must increase, from above 0 if log = true"):
        read_grid(read(tmp_path / "trial.toml"), 0)


def test_an_error_gets_the_line_of_the_file(file: File) -> None:
    with pytest.raises(SettingError, match=r"trial\.toml.*cross_encoder|trial\.toml"):
        located(file, lambda: trained("bm25", "supervised"), "grid", 0, "row")
