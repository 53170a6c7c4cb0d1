"""What the page shows, from the tables."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from harness.bench.record import Record
from harness.report.board import tables
from harness.report.page_data import charts, page_data

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


def test_the_page_opens_on_the_dataset_with_the_most_scores(made: Made) -> None:
    data = data_of(made("a", 0.5), made("a", 0.5, "z/more"), made("b", 0.4, "z/more"))
    assert [dataset["name"] for dataset in data["datasets"]][data["start"]] == "z/more"
    assert charts(data)["start"] == data["start"]
    assert data_of()["start"] == 0


def test_rows_of_one_name_have_links_of_their_own(made: Made) -> None:
    (dataset,) = data_of(made("a", 0.5), made("a", 0.4, method="a(k=2)"), made("b", 0.3))["datasets"]
    labels = [row["label"] for row in dataset["rows"]]
    assert labels == ["a on beir/example/test", "a on beir/example/test (2)", "b on beir/example/test"]
