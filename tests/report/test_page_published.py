"""Published scores among the rows of the page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from harness.bench.published import Published
from harness.bench.record import Record
from harness.report.board import tables, with_published
from harness.report.page_data import page_data
from harness.report.page_published import merged, published_points, published_rows


def test_they_are_in_their_place_marked_and_with_their_source(made: Callable[..., Record]) -> None:
    of = Published("theirs", "a paper", {"beir/example/test": {"nDCG@10": 0.45}}, "another tokenizer")
    found = with_published(tables([made("a", 0.5), made("b", 0.4)]), [of])
    (dataset,) = page_data([found], [[[{}], [{}]]])["datasets"]
    assert [row["name"] for row in dataset["shown"]] == ["a", "published/theirs", "b"]
    row = dataset["shown"][1]
    assert (row["published"], row["ok"], row["family"]) == (True, False, "published")
    assert row["source"] == "a paper; another tokenizer"
    cell = row["cells"][0]
    assert (cell["text"], cell["value"], cell["best"], cell["linked"]) == ("0.4500", 0.45, False, False)
    assert all(each["value"] is None for each in row["cells"][1:])
    (point,) = published_points(dataset["shown"])
    assert (point["name"], point["values"], point["source"]) == ("published/theirs", {"nDCG@10": 0.45}, row["source"])


def test_a_row_without_the_measure_is_last(made: Callable[..., Record]) -> None:
    def row(name: str, value: float | None) -> dict[str, Any]:
        return {"name": name, "values": {"m": {"value": value}}}

    order = merged([row("a", 0.2), row("failed", None)], [row("p", 0.3), {"name": "q", "values": {}}], ["m"])
    assert [each["name"] for each in order] == ["p", "a", "failed", "q"]
    (table,) = tables([made("a", 0.5)])
    assert published_rows(table, []) == []
