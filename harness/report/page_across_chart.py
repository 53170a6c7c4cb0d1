"""The rows across datasets for the plots of the page: as those of a dataset, with means for scores and costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from harness.report.trade_offs import TRADE_OFFS, UNKNOWN, mark_fronts

NAME = "across datasets"


def across_chart(tables: Sequence[Mapping[str, Any]], datasets: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """The rows that have a mean by some measure; None without such rows.

    Args:
        tables: of `harness.report.page_across.across_tables`.
        datasets: as the template takes them.
    """
    rows: dict[str, dict[str, Any]] = {}
    for over in tables:
        for row in over["rows"]:
            if row["complete"]:
                shared = {name: row[name] for name in ("key", "name", "family", "supervision")}
                entry = rows.setdefault(row["name"], {**shared, "row": row["name"], "values": {}, "seeds": []})
                entry["values"][over["measure"]] = row["value"]
    measures = [over["measure"] for over in tables]
    complete = [row for row in rows.values() if set(row["values"]) == set(measures)]
    if not complete:
        return None
    for row in complete:
        row["trades"] = {name: _mean_cost(name, row["name"], datasets) for name in TRADE_OFFS}
    mark_fronts(complete, measures)
    return {
        "name": NAME,
        "measures": measures,
        "rows": complete,
        "pairs": {over["measure"]: over["pairs"] for over in tables},
        "curves": [],
        "published": _published(tables),
    }


def _published(tables: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Published scores that have a mean by some measure, in the form of `harness.report.page_published`."""
    points: dict[str, dict[str, Any]] = {}
    for over in tables:
        for row in over["shown"]:
            if row["published"] and row["complete"]:
                shared = {name: row[name] for name in ("name", "source", "family", "supervision")}
                values = points.setdefault(row["name"], {**shared, "values": {}})["values"]
                values[over["measure"]] = row["value"]["value"]
    return list(points.values())


def _mean_cost(cost: str, name: str, datasets: Sequence[Mapping[str, Any]]) -> dict[str, float | None]:
    """The mean over the datasets, doubtful if it is on one of them; unknown if it is on one of them."""
    costs, doubtful = [], False
    for dataset in datasets:
        first = next((row for row in dataset["rows"] if row["name"] == name and row["ok"]), None)
        of = first["trades"][cost] if first else UNKNOWN
        value = of["doubtful"] if of["value"] is None else of["value"]
        if value is None:
            return dict(UNKNOWN)
        doubtful = doubtful or of["value"] is None
        costs.append(value)
    mean = sum(costs) / len(costs)
    return {"value": None, "doubtful": mean} if doubtful else {"value": mean, "doubtful": None}
