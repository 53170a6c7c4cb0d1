from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from harness.report.sweep_plots import draw
from harness.sweep.result import SweepResult


@pytest.fixture(autouse=True)
def _needs_matplotlib() -> None:
    pytest.importorskip("matplotlib")


def test_curves_with_intervals_on_dev_and_the_chosen_on_test(found: SweepResult, tmp_path: Path) -> None:
    svg, png = draw(found, tmp_path)
    text = svg.read_text()
    for words in (
        "dev, which chose",
        "test, only the chosen settings",
        "training queries",
        "bm25 (baseline)",
        "nDCG@10",
        "900",
    ):
        assert words in text
    assert png.read_bytes().startswith(b"\x89PNG")
    first = svg.read_bytes()
    draw(found, tmp_path)
    assert svg.read_bytes() == first


def test_without_test_there_is_one_panel_and_without_curves_no_file(
    found: SweepResult,
    tmp_path: Path,
) -> None:
    (svg, _) = draw(dataclasses.replace(found, tested=None), tmp_path)
    assert "the chosen settings alone" not in svg.read_text()
    assert draw(dataclasses.replace(found, tried=found.tried[:1]), tmp_path) == []
