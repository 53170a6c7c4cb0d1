"""What quality is plotted against: the costs of a row, and which rows no other beats in both."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from harness.bench.machine_load import why
from harness.report.board import Line
from harness.report.frontier import non_dominated


@dataclass(frozen=True)
class TradeOff:
    """One plot of quality against a cost.

    Args:
        label: of the cost's axis.
        value: the cost of a row that has scores; None if it is unknown or unreliable.
        doubtful: the cost where it is unreliable; None where it is reliable or unknown.
    """

    label: str
    value: Callable[[Line], float | None]
    doubtful: Callable[[Line], float | None] = lambda _: None

    def of(self, line: Line) -> dict[str, float | None]:
        """A row's cost for the scripts of the page."""
        return {"value": self.value(line), "doubtful": self.doubtful(line)} if line.ok else UNKNOWN


UNKNOWN: dict[str, float | None] = {"value": None, "doubtful": None}


def _latency(line: Line) -> float | None:
    return None if why(line.first.latency) else (line.first.latency or {}).get("p50_ms")


def _busy_latency(line: Line) -> float | None:
    """Of a busy machine: shown, but marked, and no reason to call a row cheaper."""
    return (line.first.latency or {}).get("p50_ms") if why(line.first.latency) else None


def _size(line: Line) -> float | None:
    size = line.first.size.get("index_bytes", 0) + line.first.size.get("model_bytes", 0)
    return size / 2**20 if size else None


TRADE_OFFS = {
    "latency": TradeOff("query p50, ms", _latency, _busy_latency),
    "size": TradeOff("index and model, MiB", _size),
    "training": TradeOff("training, s", lambda line: line.training or 0.0),
}


def mark_fronts(rows: Sequence[dict[str, Any]], measures: Sequence[str]) -> None:
    """Adds to each row of the page by which measures no other row is both cheaper and better."""
    for name in TRADE_OFFS:
        for row in rows:
            row["trades"][name]["front"] = []
        for measure in measures:
            _mark_front(rows, name, measure)


def _mark_front(rows: Sequence[dict[str, Any]], name: str, measure: str) -> None:
    points = [(row["trades"][name]["value"], row["values"][measure]["value"]) for row in rows]
    complete = [i for i, point in enumerate(points) if None not in point]
    for i, free in zip(complete, non_dominated([points[i] for i in complete]), strict=True):
        if free:
            rows[i]["trades"][name]["front"].append(measure)
