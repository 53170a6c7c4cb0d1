"""The rankings of a run: the same held in memory and looked up each time."""

from __future__ import annotations

import numpy as np
import pytest

from harness.bench import rankings
from harness.bench.rankings import rankings_of
from harness.data.corpus import Corpus
from harness.data.queries import Queries
from harness.data.ranking import Run, TopK


@pytest.fixture
def run() -> Run:
    corpus = Corpus.of([(name, "", "x") for name in "abc"])
    top = TopK(np.array([[2, 0], [1, -1]]), np.array([[2.0, 1.0], [0.5, -np.inf]], np.float32))
    return Run(Queries(["q1", "q2"], ["x", "y"]), top, corpus)


def test_a_small_run_is_held_and_a_large_one_is_not(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    held = rankings_of(run)
    assert isinstance(held, list)
    assert held == [("q1", ["c", "a"], [2.0, 1.0]), ("q2", ["b"], [0.5])]
    monkeypatch.setattr(rankings, "HELD", 3)
    assert rankings_of(run) is run
