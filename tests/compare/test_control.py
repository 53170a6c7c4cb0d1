"""Whether a trained row beats the row that only looks up."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest

from harness.bench.document_split import split_entry
from harness.compare.comparison import compare
from harness.compare.control import AgainstControl, against_control, is_control, lacks_control
from harness.compare.documents import compare_parts
from harness.compare.evidence import Scores
from harness.leaks.overlap import Leaks
from harness.methods.bm25 import BM25

N, OLD = 100, 60
BASE = np.random.default_rng(3).uniform(0.2, 0.6, N)
IDS = [f"q{i:03}" for i in range(N)]
Scored = Callable[..., Scores]


@pytest.fixture
def bm25_is_a_control(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(BM25, "control", True, raising=False)
    is_control.cache_clear()
    yield
    is_control.cache_clear()


@pytest.fixture
def row(scored: Scored) -> Scored:
    def one(name: str, method: str, old: float, new: float, overlap: int = OLD, used: str = "train labels") -> Scores:
        noise = np.random.default_rng(len(name)).normal(0, 0.01, N)
        lift = np.where(np.arange(N) < OLD, old, new)
        by_query = dict(zip(IDS, (BASE + lift + noise).tolist(), strict=True))
        leaks = {"split": split_entry(Leaks({}, tuple(IDS[:overlap])), {"nDCG@10": by_query})}
        return scored(name, by_query, method=method, supervision=used, leaks=leaks)

    return one


def found(rows: list[Scores]) -> dict[int, AgainstControl]:
    return against_control(rows, compare(rows), compare_parts(rows))


@pytest.mark.usefixtures("bm25_is_a_control")
def test_each_trained_row_against_the_best_control_of_each_part(row: Scored) -> None:
    rows = [
        row("looks-up", "bm25(k1=1.2)", 0.3, 0.0),
        row("learns", "dense", 0.1, 0.1),
        row("looks-up-too", "bm25(k1=1.3)", 0.1, 0.0),
        row("copies", "dense(max_length=9)", 0.3, -0.1),
        row("plain", "dense(max_length=8)", 0.0, 0.0, used="none"),
    ]
    assert {i: each.text for i, each in found(rows).items()} == {1: "worse / better", 3: "tied / worse"}
    assert not lacks_control(rows)


@pytest.mark.usefixtures("bm25_is_a_control")
def test_without_old_documents_all_queries_decide(row: Scored) -> None:
    rows = [row("learns", "dense", 0.1, 0.1, 0), row("looks-up", "bm25", 0.0, 0.0, 0)]
    assert found(rows) == {0: AgainstControl(every="better")}
    assert found(rows)[0].text == "better"


def test_without_a_control_nothing_is_said_and_it_is_missed(row: Scored) -> None:
    rows = [row("learns", "dense", 0.1, 0.1), row("plain", "bm25", 0.0, 0.0, used="none")]
    assert found(rows) == {}
    assert lacks_control(rows)
    assert not lacks_control(rows[1:])


def test_a_method_that_cannot_be_read_is_no_control() -> None:
    assert not is_control("was_once_a_method(of=3)")
    assert not is_control("bm25")
