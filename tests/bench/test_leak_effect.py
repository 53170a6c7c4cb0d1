"""A row's figures without the test queries that training has seen."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness import api
from harness.bench import leak_effect as module
from harness.bench.leak_effect import leak_notes, leaked
from harness.data.dataset import Dataset
from harness.leaks.overlap import Leaks
from harness.runtime.context import Context

VALUES = {"nDCG@10": {"a": 1.0, "b": 0.5, "c": 0.0}, "R@5": {"a": 1.0, "b": 1.0, "c": 0.0}}


def test_means_are_taken_without_and_only_over_them(
    small: Dataset, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "leaks", lambda *_: Leaks({"a": ("t1", "near", 0.8)}, ("a", "b")))
    found = leaked(small, VALUES, context)
    assert found.pop("split")["old"] == {"count": 2, "means": {"nDCG@10": 0.75, "R@5": 1.0}}
    assert found == {
        "queries": {
            "count": 1,
            "kinds": {"near": 1},
            "without": {"nDCG@10": 0.25, "R@5": 0.5},
            "only": {"nDCG@10": 1, "R@5": 1},
        },
        "documents": {"count": 2, "without": {"nDCG@10": 0.0, "R@5": 0.0}, "only": {"nDCG@10": 0.75, "R@5": 1}},
    }
    assert leak_notes(found) == [
        "1 test query also occurs in train or dev (1 near); without them nDCG@10 is 0.2500",
        "2 test queries share a relevant document with a train or dev query: nDCG@10 is 0.7500 there, "
        "0.0000 on the others",
    ]


def test_all_or_none_of_them(small: Dataset, context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    every = dict.fromkeys("abc", ("t", "exact", 1.0))
    monkeypatch.setattr(module, "leaks", lambda *_: Leaks(every, tuple("abc")))  # type: ignore[arg-type]
    told = leak_notes(leaked(small, VALUES, context))
    assert told[0].endswith("(3 exact), which is all of them")
    assert told[1].endswith(": nDCG@10 is 0.5000 there, and there are no others")
    monkeypatch.setattr(module, "leaks", lambda *_: Leaks({}, ()))
    assert leak_notes(leaked(small, VALUES, context)) == []
    assert leak_notes({}) == []


def test_every_record_holds_the_means_and_a_row_that_used_labels_says_it_in_its_notes(
    small_folder: Path, tmp_path: Path, context: Context, tiny_encoder: Path
) -> None:
    row = f'dense(model="{tiny_encoder}")+frozen_head(budget="smoke")'
    board = api.run("bm25", row, dataset=str(small_folder), results=tmp_path / "results", context=context)
    free, trained = (result.record for result in board.results)
    assert set(free.leaks) == {"queries", "documents", "split"}
    assert set(trained.leaks) == {"queries", "documents", "split", "taught"}
    assert {key: free.leaks["split"][key] for key in ("listed", "ids")} == {
        key: trained.leaks["split"][key] for key in ("listed", "ids")
    }
    assert all(note in trained.notes for note in leak_notes(trained.leaks))
    assert not any(note in free.notes for note in leak_notes(free.leaks)), "nothing was learnt from them"
