import importlib.util
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.data.measures import parse_measures
from harness.rows import parse_method

SUITES = Path(__file__).parents[2] / "harness" / "suites"
PUBLISHED = sorted((SUITES / "published").glob("*.json"))


@pytest.fixture(scope="module")
def suite():
    spec = importlib.util.spec_from_file_location("suite_published", SUITES / "test_published.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("path", PUBLISHED, ids=lambda p: p.stem)
def test_published_figures_have_a_source_a_row_and_measures_that_can_be_read(path: Path) -> None:
    held = json.loads(path.read_text(encoding="utf-8"))
    assert held["title"]
    assert held["source"]
    assert 0 < held["tolerance"] < 0.01
    parse_method(held["row"])
    for figures in held["figures"].values():
        assert parse_measures(figures)
        assert all(0 < value <= 1 for value in figures.values())


@pytest.mark.parametrize(
    ("difference", "verdict"),
    [
        (0.0, "OK"),
        (0.0005, "OK"),
        (0.6789 - 0.6784, "OK"),
        (0.00051, "off"),
        (0.005, "off"),
        (0.00501, "FAIL"),
        (1.0, "FAIL"),
    ],
)
def test_the_verdict_is_ok_within_the_tolerance_off_within_ten_times_it_and_fail_beyond(
    difference: float, verdict: str, suite
) -> None:
    assert suite._verdict(difference, 0.0005) == verdict


def test_only_collections_that_are_here_are_held_against_published_figures(
    suites: Callable, small_folder: Path
) -> None:
    small_folder.rename(small_folder.with_name("scifact"))
    options = ["--benchmark", "--collect-only", "-q", "--data-dir", small_folder.parent]
    outcome = suites(*options, file="test_published.py")
    found = re.findall(r"test_published\[(.*)\]", outcome.out)
    assert found
    assert all(name.endswith("on beir/scifact") for name in found)


def test_a_figure_far_from_the_published_one_fails_and_both_are_shown(suites: Callable, small_folder: Path) -> None:
    small_folder.rename(small_folder.with_name("scifact"))
    options = ["--benchmark", "--data-dir", small_folder.parent, "-k", "BM25"]
    outcome = suites(*options, file="test_published.py")
    assert outcome.status == 1
    assert outcome.counts()["failed"] == 1
    assert "comparison with published scores" in outcome.out
    assert re.search(r"FAIL +Anserini.* on beir/scifact: nDCG@10 0\.\d{5}, published 0\.6789", outcome.out)
