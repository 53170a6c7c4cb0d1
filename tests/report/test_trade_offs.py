"""What quality is plotted against."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from harness.bench.record import Record
from harness.report.board import tables
from harness.report.page_data import page_data

Made = Callable[..., Record]


def data_of(*records: Record) -> dict[str, Any]:
    found = tables(records)
    by_measure = [[t.by(m) for m in t.measures] or [t] for t in found]
    return page_data(by_measure, [[[{}] * len(ln.records) for ln in t.lines] for t in found])


def test_rows_are_not_dominated_by_each_measure_of_its_own(made: Made) -> None:
    def row(name: str, ndcg: float, recall: float, p50: float) -> Record:
        return made(name, measures={"nDCG@10": ndcg, "R@100": recall}, latency={"p50_ms": p50, "p95_ms": p50})

    (dataset,) = data_of(row("fast", 0.4, 0.6, 1.0), row("slow", 0.5, 0.5, 9.0))["datasets"]
    fronts = {row["name"]: row["trades"]["latency"]["front"] for row in dataset["rows"]}
    assert fronts == {"fast": ["nDCG@10", "R@100"], "slow": ["nDCG@10"]}


def test_a_latency_of_a_busy_machine_is_doubtful_and_on_no_front(made: Made) -> None:
    busy = {"p50_ms": 0.5, "p95_ms": 0.6, "busy": True, "others": 2.0, "cores": 2}
    (dataset,) = data_of(made("a", 0.4, latency=busy), made("b", 0.5, latency={"p50_ms": 9.0, "p95_ms": 9.0}))[
        "datasets"
    ]
    trades = {row["name"]: row["trades"]["latency"] for row in dataset["rows"]}
    assert (trades["a"]["value"], trades["a"]["doubtful"]) == (None, 0.5)
    assert (trades["b"]["value"], trades["b"]["doubtful"]) == (9.0, None)
    assert trades["a"]["front"] == []
    assert trades["b"]["front"] == ["nDCG@10"]
    busy_row = next(row for row in dataset["rows"] if row["name"] == "a")
    assert busy_row["trades"]["size"]["doubtful"] is None
    assert "unreliable: other processes used 2.0 of 2 processors" in json.dumps(busy_row)
