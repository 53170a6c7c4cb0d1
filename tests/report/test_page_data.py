"""What the page shows, from the tables."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from typing import Any

import numpy as np

from harness.bench.record import Record
from harness.compare.comparison import compare
from harness.compare.evidence import Scores
from harness.report.board import tables
from harness.report.page_data import charts, page_data, pairs

Made = Callable[..., Record]


def data_of(*records: Record) -> dict[str, Any]:
    found = tables(records)
    return page_data(
        [[t.by(m) for m in t.measures] or [t] for t in found],
        [[[{}] * len(ln.records) for ln in t.lines] for t in found],
    )


def test_figures_are_written_as_on_the_other_boards(made: Made) -> None:
    (dataset,) = data_of(made("a", 0.512349), made("b", 0.4))["datasets"]
    assert dataset["columns"][0]["text"] == "nDCG@10"
    shown = {row["name"]: row["cells"][0] for row in dataset["rows"]}
    assert (shown["a"]["text"], shown["a"]["best"], shown["b"]["best"]) == ("0.5123", True, False)


def test_a_row_that_was_skipped_has_no_figures_and_its_reason(made: Made, skipped: Made) -> None:
    (dataset,) = data_of(made("a", 0.5), skipped("b"))["datasets"]
    row = next(row for row in dataset["rows"] if row["name"] == "b")
    assert row["problem"] == "no model <x>. hf download x|y."
    headings = [column["text"] for column in dataset["columns"]]
    shown = dict(zip(headings, (cell["text"] for cell in row["cells"]), strict=True))
    assert shown.pop("family") == "b"
    assert set(shown.values()) == {"–"}
    assert [r["name"] for r in charts(data_of(made("a", 0.5), skipped("b")))["datasets"][0]["rows"]] == ["a"]


def test_each_seed_has_its_record(made: Made) -> None:
    (dataset,) = data_of(made("a", 0.5, seed=0), made("a", 0.7, seed=1))["datasets"]
    (row,) = dataset["rows"]
    assert [r["seed"] for r in row["records"]] == [0, 1]
    assert [s["values"]["nDCG@10"] for s in row["seeds"]] == [0.5, 0.7]
    assert row["spread"][0].startswith("nDCG@10 of 2 seeds: 0.5000, 0.7000")


def test_a_record_without_provenance_is_no_reason_to_fail(made: Made) -> None:
    assert data_of(made("a", 0.5, provenance={}, seconds={}, size={}, latency=None))["datasets"]


def test_the_pairs_of_a_page_are_those_of_the_board_however_many_groups_there_are(
    scored: Callable[..., Scores],
) -> None:
    rng = np.random.default_rng(1)
    base = rng.uniform(0.2, 0.8, 200)
    columns = [base - 0.02 * i + rng.normal(0, 0.06, 200) for i in range(45)]
    comparison = compare(
        [scored(f"r{i:02}", {f"q{n}": float(v) for n, v in enumerate(c)}) for i, c in enumerate(columns)]
    )
    shown = json.loads(json.dumps(pairs(comparison)))
    assert shown["corrected"] == comparison.corrected
    assert len({letter for letters in comparison.letters for letter in letters}) > 26
    for one, other in itertools.permutations(range(45), 2):
        runs = shown["better"][one]
        within = any(start <= other < end for start, end in zip(runs[::2], runs[1::2], strict=True))
        assert within is bool(comparison.better[one, other])
    assert pairs(None) is None
