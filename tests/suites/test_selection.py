"""Which items the options leave: what is named narrows every suite, and a suite without an item says why."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Collect = Callable[..., list[str]]


@pytest.fixture
def collect(suites: Any, small_folder: Path) -> Collect:
    """Options → the items that pytest collects, with the made-up collection as SciFact and as Cranfield."""
    for name in ("scifact", "cranfield"):
        shutil.copytree(small_folder, small_folder.parent / "data" / name)

    def one(*options: object) -> list[str]:
        outcome = suites("--benchmark", "--collect-only", "-q", "--data-dir", small_folder.parent / "data", *options)
        assert outcome.status == 0, outcome.out
        return re.findall(r"suites/(test_\S+::.*)", outcome.out)

    return one


BOTH = ("--dataset", "beir/cranfield", "--dataset", "beir/scifact")


def of(items: list[str], suite: str) -> list[str]:
    """What is in the brackets of a test's items."""
    return [item.partition("[")[2].removesuffix("]") for item in items if f"::{suite}[" in item]


def test_a_method_narrows_every_suite(collect: Collect) -> None:
    items = collect(*BOTH, "--method", "bm25")
    assert of(items, "test_leaderboard") == ["beir/cranfield-bm25", "beir/scifact-bm25"]
    (published,) = of(items, "test_published")
    assert published.startswith("Anserini")
    assert published.endswith("on beir/scifact")
    assert len(of(items, "test_lucene")) == 2
    assert all("defaults" in item for item in of(items, "test_lucene"))
    assert of(items, "test_pyserini") == ["none"]
    assert of(items, "test_indexes") == of(items, "test_regression") == of(items, "test_validation") == ["none"]
    assert not [item for item in items if "dense" in item or "MiniLM" in item]
    assert len(items) <= 10


def test_settings_of_a_method_are_those_that_are_compared(collect: Collect) -> None:
    items = collect(*BOTH, "--method", "bm25(feedback=rm3)")
    assert len(of(items, "test_lucene")) == 2
    assert all("feedback=rm3" in item for item in of(items, "test_lucene"))
    assert of(items, "test_published") == ["none"]
    items = collect("--dataset", "beir/scifact", "--method", "lucene")
    assert len(of(items, "test_lucene")) == 1
    assert of(items, "test_pyserini") == ["beir/scifact"]
    items = collect("--dataset", "beir/scifact", "--method", "dense")
    assert all("none" in item for item in of(items, "test_lucene"))
    assert of(items, "test_pyserini") == ["none"]
    assert len(of(items, "test_published")) == 1


def test_without_a_method_everything_that_is_here_is_compared(collect: Collect) -> None:
    items = collect()
    assert len(of(items, "test_published")) == 2
    assert len(of(items, "test_lucene")) == 8
    assert sorted(of(items, "test_pyserini")) == ["beir/cranfield", "beir/scifact"]


def test_a_dataset_is_the_same_with_its_split(collect: Collect) -> None:
    items = collect("--dataset", "beir/scifact/test")
    assert len(of(items, "test_published")) == 2
    assert of(items, "test_pyserini") == ["beir/scifact"]
    items = collect("--dataset", "beir/scifact/train")
    assert of(items, "test_published") == of(items, "test_pyserini") == ["none"], "others published scores of test"


def test_indexes_are_of_a_row_that_is_named(collect: Collect) -> None:
    index = ("--dataset", "beir/scifact", "--index", "exact", "--index", "int8")
    assert len(of(collect(*index), "test_indexes")) == 2
    assert of(collect(*index, "--method", "bm25"), "test_indexes") == ["none"]
    assert len(of(collect(*index, "--method", "bm25", "--encoder", "dense"), "test_indexes")) == 2
    assert len(of(collect(*index, "--method", "dense"), "test_indexes")) == 2
    assert of(collect("--index", "exact", "--synthetic", 100, "--method", "bm25"), "test_indexes") == [
        "synthetic/100-exact"
    ]


def test_a_baseline_and_stored_records_bring_their_suites(collect: Collect, suites: Any, small_folder: Path) -> None:
    items = collect(*BOTH, "--method", "bm25", "--baseline", "bm25(b=0.5)")
    assert of(items, "test_validation") == ["beir/cranfield-bm25", "beir/scifact-bm25"]
    assert of(items, "test_regression") == ["none"]
    made = suites("--benchmark", "--dataset", "./small", "--method", "bm25", file="test_leaderboard.py")
    assert made.counts() == {"passed": 1}, made.out
    items = collect("--dataset", "beir/scifact", "--method", "bm25", "--against", "results")
    assert of(items, "test_regression") == ["beir/scifact-bm25"]
    assert of(items, "test_validation") == ["none"]


def test_a_suite_without_an_item_says_why(suites: Any, small_folder: Path) -> None:
    outcome = suites("--benchmark", "--dataset", "./small", "--method", "bm25", "-rs")
    assert outcome.counts()["passed"] == 1, outcome.out
    told = " ".join(outcome.out.split())
    for reason in (
        "run with --index all",
        "run with --against results/",
        "run with --baseline",
        "no published scores",
        "none of these datasets",
    ):
        assert reason in told
