"""The tables across datasets in a terminal."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pytest
from rich.console import Console

from harness.bench.document_split import split_entry
from harness.bench.store import Store, StoredRecord
from harness.leaks.overlap import Leaks
from harness.report.across import Across
from harness.report.board import tables
from harness.report.comparisons_across import compared_across
from harness.report.terminal_across import across_grids

N = 60
IDS = [f"q{i:02}" for i in range(N)]


@pytest.fixture
def over(put: Callable[..., StoredRecord], results: Store) -> Across:
    """`looks-up` is the best of all queries, `learns` on new documents."""
    for k in range(3):
        base = np.random.default_rng(k).uniform(0.2, 0.6, N)
        for row, old, new in (("looks-up", 0.3, 0.0), ("learns", 0.1, 0.1)):
            noise = np.random.default_rng(len(row) + k).normal(0, 0.02, N)
            values = base + np.where(np.arange(N) < 40, old, new) + noise
            by_query = {q: round(float(v), 6) for q, v in zip(IDS, np.clip(values, 0, 1), strict=True)}
            leaks = {"split": split_entry(Leaks({}, tuple(IDS[:40])), {"nDCG@10": by_query})}
            trained = {"resolved": {"training": [{"seconds": 60.0}]}, "method": "dense+supervised"}
            put(row, by_query, dataset=f"d{k}", supervision="train labels", leaks=leaks, **trained)
    stored, _ = results.stored()
    found = compared_across(tables(one.record for one in stored), results, stored)
    assert found is not None
    return found


def test_other_collections_costs_and_new_documents_are_tables_of_their_own(over: Across) -> None:
    out = io.StringIO()
    console = Console(file=out, width=160)
    for grid in across_grids(over):
        console.print(grid)
    _, text = out.getvalue().split("nDCG@10 across datasets")
    scores, against, beyond, new = text.replace("on new documents", "against looks-up").split("against looks-up")
    assert "mean" in scores
    assert "datasets w/t/l" in against
    assert "0/0/3" in beyond
    assert "60.0 s" in beyond
    assert "yes" in beyond
    assert "3/0/0" in new
    assert "learns" in new


def test_the_notes_name_the_best_row_on_new_documents_and_what_three_datasets_support(over: Across) -> None:
    assert any(note.startswith("On new documents, `learns` has the highest mean: 0.") for note in over.notes)
    assert any(note.startswith("3 datasets as a sample of collections: ") for note in over.notes)
    by_name = {row.name: row for row in over.rows}
    assert by_name["learns"].on_new is not None
    assert by_name["learns"].on_new.difference is not None
    assert by_name["learns"].on_new.difference.mean > 0
    assert by_name["learns"].beyond is not None
    assert by_name["learns"].against is not None
    assert by_name["learns"].beyond.difference == by_name["learns"].against.difference
