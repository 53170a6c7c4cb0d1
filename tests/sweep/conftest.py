"""A sweep's file on the made-up collection, with cells that take a second."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.rows import parse_method
from harness.sweep.trial import Trial

TEXT = """
dataset = "{folder}"
baseline = ["bm25", 'dense(model="{model}")']
seeds = 2

[[grid]]
row = 'dense(model="{model}")'
recipe = "frozen_head"
budget = "smoke"
queries = [8, 16, "all"]
learning_rate = [1e-3, 1e-2]
"""


@pytest.fixture
def written(tmp_path: Path, small_folder: Path, tiny_encoder: Path) -> Callable[..., Path]:
    """`written(more, old="seeds = 2", new="seeds = 1")`: the file's place."""

    def one(more: str = "", old: str = "", new: str = "") -> Path:
        text = TEXT.format(folder=small_folder, model=tiny_encoder)
        assert old in text
        path = tmp_path / "trial.toml"
        path.write_text(text.replace(old, new) + more, encoding="utf-8")
        return path

    return one


@pytest.fixture
def tried() -> Callable[..., Trial]:
    """`tried("bm25", [[0.1, 0.2], …], size=100)`: a row with a query a line and a seed a column."""

    def one(row: str, values: Any, size: int | None = None, config: str = "", group: str = "", **more: Any) -> Trial:
        table = np.array(values, np.float64).reshape(len(values), -1)
        cells = tuple(
            {
                "seed": seed,
                "mean": float(column.mean()),
                "values": {f"q{i:02}": float(v) for i, v in enumerate(column)},
                "seconds": 1.0,
            }
            for seed, column in enumerate(table.T)
        )
        return Trial(parse_method("bm25"), row, config or row, size, group or row, cells, **more)

    return one
