"""Plots as SVG and PNG."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest

import harness.report.plots as plots
from harness.base.errors import Unavailable
from harness.bench.record import Record
from harness.report.board import tables
from harness.report.plots import write_plots

Made = Callable[..., Record]
needs_matplotlib = pytest.mark.skipif(
    importlib.util.find_spec("matplotlib") is None, reason="matplotlib is not installed"
)


@needs_matplotlib
def test_each_dataset_has_its_means_and_the_costs_that_differ_as_svg_and_png(
    made: Made, skipped: Made, tmp_path: Path
) -> None:
    other = made("b", 0.4, latency={"p50_ms": 70.0}, size={"index_bytes": 7})  # neither row is trained
    written = write_plots(tables([made("a$x_", 0.5), other, skipped("c")]), tmp_path / "plots")
    names = {path.name for path in written}
    assert names == {f"beir-example-test-{n}.{e}" for n in ("means", "latency", "size") for e in ("svg", "png")}
    for path in written:
        if path.suffix == ".svg":
            text = "".join(ElementTree.parse(path).getroot().itertext())
            assert "a$x_" in text
        else:
            assert path.read_bytes().startswith(b"\x89PNG")


@needs_matplotlib
def test_plots_are_the_same_bytes_again(made: Made, tmp_path: Path) -> None:
    found = tables([made("a", 0.5), made("b", 0.4)])
    first = [path.read_bytes() for path in write_plots(found, tmp_path / "one")]
    assert [path.read_bytes() for path in write_plots(found, tmp_path / "two")] == first


@needs_matplotlib
def test_a_dataset_without_figures_has_no_plots(skipped: Made, tmp_path: Path) -> None:
    assert write_plots(tables([skipped("c")]), tmp_path) == []


def test_without_matplotlib_the_error_says_how_to_get_it(
    made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plots, "find_spec", lambda _: None)
    with pytest.raises(Unavailable, match="matplotlib is not installed"):
        write_plots(tables([made("a", 0.5)]), tmp_path)
