"""The tables across datasets on the page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from harness.bench.published import Published
from harness.bench.record import Record
from harness.report.across import Across
from harness.report.board import Table, tables, with_published
from harness.report.page import page
from harness.report.page_data import page_data

Made = Callable[..., Record]


def data_of(*records: Record) -> dict[str, Any]:
    found = tables(records)
    by_measure = [[t.by(m) for m in t.measures] or [t] for t in found]
    return page_data(by_measure, [[[{}] * len(ln.records) for ln in t.lines] for t in found])


def test_datasets_are_set_side_by_side_by_every_measure_they_share(made: Made) -> None:
    one, two = {"nDCG@10": 0.5, "R@100": 0.6}, {"nDCG@10": 0.4, "R@100": 0.7}
    data = data_of(made("a", measures=one), made("a", measures=two, dataset="other"), made("b", 0.1))
    assert [over["measure"] for over in data["across"]] == ["nDCG@10", "R@100"]
    rows = {row["name"]: [c["text"] for c in row["cells"]] for row in data["across"][0]["rows"]}
    assert rows == {"a": ["0.5000", "0.4000", "0.4500"], "b": ["0.1000", "–", "–"]}
    assert data["across"][0]["rows"][0]["cells"][0]["key"].startswith("record-0-")


def test_a_mean_and_its_comparison_link_to_the_records_they_are_made_of(
    two_datasets: Callable[[], tuple[list[Table], Across]],
) -> None:
    found, over = two_datasets()
    data = page_data([[table] for table in found], [[[{}] * len(ln.records) for ln in t.lines] for t in found], over)
    rows = {row["name"]: row for row in data["across"][0]["rows"]}
    headings = [column["text"] for column in data["across"][0]["columns"]]
    cells = {name: dict(zip(headings, row["cells"], strict=True)) for name, row in rows.items()}
    assert data["across"][0]["baseline"]["name"] == "best"
    assert [cells[name]["rank"]["text"] for name in ("best", "last")] == ["1–2", "3"]
    won = cells["last"]["datasets w/t/l"]
    assert (won["text"], won["value"]) == ("0/0/2", 0)
    assert {cells["half"][column]["text"] for column in headings[2:]} == {"–"}
    means = {row["name"]: row for row in data["means"]}
    assert cells["last"]["mean"]["key"] == rows["last"]["key"] == means["last"]["key"]
    assert {there["key"] for there in means["last"]["datasets"].values()} == {
        cells["last"][name]["key"] for name in ("d1", "d2")
    }
    assert list(means["half"]["datasets"]) == ["d1"]


def test_published_scores_are_in_their_place_without_a_record(made: Made) -> None:
    found = with_published(
        tables([made("a", 0.5, "d1"), made("a", 0.3, "d2"), made("b", 0.1, "d1")]),
        [
            Published("whole", "a paper", {"d1": {"nDCG@10": 0.9}, "d2": {"nDCG@10": 0.7}}),
            Published("part", "a paper", {"d1": {"nDCG@10": 0.8}}),
        ],
    )
    data = page_data([[table] for table in found], [[[{}] * len(ln.records) for ln in t.lines] for t in found])
    (over,) = data["across"]
    assert [row["name"] for row in over["shown"]] == ["published/whole", "a", "b", "published/part"]
    whole, part = over["shown"][0], over["shown"][3]
    assert [cell["text"] for cell in whole["cells"]] == ["0.9000", "0.7000", "0.8000"]
    assert not any(cell["best"] or cell["linked"] for cell in whole["cells"])
    assert (whole["source"], whole["complete"], part["complete"]) == ("a paper", True, False)
    assert [row["name"] for row in over["rows"]] == ["a", "b"]
    assert [row["name"] for row in data["means"]] == ["a", "b"]
    (point,) = data["across_chart"]["published"]
    assert (point["name"], point["source"], point["values"]) == ("published/whole", "a paper", {"nDCG@10": 0.8})
    text = page(data, ["", ""])
    table = text[text.index('<section class="across"') : text.index('<section class="dataset"')]
    assert table.count("not measured here") == 2
    assert 'class="published partial" data-name="published/part"' in table
