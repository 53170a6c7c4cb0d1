"""The rows across datasets as they are drawn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from harness.report.across import Across
from harness.report.board import Table
from harness.report.page_across_chart import NAME, across_chart
from harness.report.page_data import page_data


def test_rows_with_a_mean_have_it_with_its_interval_and_mean_costs(
    two_datasets: Callable[[], tuple[list[Table], Across]],
) -> None:
    found, over = two_datasets()
    data = page_data([[table] for table in found], [[[{}] * len(ln.records) for ln in t.lines] for t in found], over)
    chart = data["across_chart"]
    assert chart["name"] == NAME
    assert [row["name"] for row in chart["rows"]] == [row.name for row in over.rows if row.mean is not None]
    first, best = chart["rows"][0], over.rows[0]
    assert best.overall is not None
    shown = first["values"]["nDCG@10"]
    assert (shown["value"], shown["low"], shown["place"]) == (best.mean, best.overall.interval.low, 0)
    costs = [row["trades"]["latency"]["value"] for d in data["datasets"] for row in d["rows"] if row["name"] == "best"]
    assert first["trades"]["latency"]["value"] == pytest.approx(sum(costs) / 2)
    assert chart["pairs"]["nDCG@10"]["corrected"].startswith("3 pairs of 3 rows (c = ")


def test_a_mean_cost_is_doubtful_if_one_of_its_costs_is() -> None:
    def row(name: str, value: float | None, doubtful: float | None) -> dict[str, Any]:
        unknown = {"value": None, "doubtful": None}
        trades = {"latency": {"value": value, "doubtful": doubtful}, "size": unknown, "training": unknown}
        return {"name": name, "key": name, "ok": True, "trades": trades, "family": name, "supervision": "none"}

    one = {"rows": [row("a", 1.0, None), row("b", 1.0, None), row("c", 1.0, None)]}
    other = {"rows": [row("a", 3.0, None), row("b", None, 3.0), row("c", None, None)]}
    rows = [{**each, "complete": True, "published": False, "value": {"value": 0.5}} for each in one["rows"]]
    chart = across_chart([{"measure": "nDCG@10", "rows": rows, "shown": rows, "pairs": None}], [one, other])
    assert chart is not None
    costs = {each["name"]: each["trades"]["latency"] for each in chart["rows"]}
    assert (costs["a"]["value"], costs["a"]["doubtful"], costs["a"]["front"]) == (2.0, None, ["nDCG@10"])
    assert (costs["b"]["value"], costs["b"]["doubtful"], costs["b"]["front"]) == (None, 2.0, [])
    assert (costs["c"]["value"], costs["c"]["doubtful"]) == (None, None)


def test_without_a_row_on_every_dataset_there_is_nothing_to_draw() -> None:
    assert across_chart([], []) is None
