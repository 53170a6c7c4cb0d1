"""The tables across datasets on the page, one for each measure that all datasets share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from harness.report import formats
from harness.report.across import Across, AcrossRow, across, in_order
from harness.report.across_columns import AGAINST, across_columns
from harness.report.beyond_columns import more_columns
from harness.report.board import Table
from harness.report.column import Column
from harness.report.headline import across_caveats, across_verdict
from harness.report.page_pairs import pairs


def across_tables(
    firsts: Sequence[Table], datasets: Sequence[Mapping[str, Any]], compared: Across | None
) -> list[dict[str, Any]]:
    """One for each shared measure.

    Args:
        firsts: a table of each dataset.
        datasets: the same as the template takes them.
        compared: the table by one of the measures, with its comparison.
    """
    keys: dict[tuple[str, str], str] = {}
    facts: dict[str, Mapping[str, Any]] = {}
    for dataset in datasets:
        for row in dataset["shown"]:
            facts[row["name"]] = row
            if row["ok"]:
                keys.setdefault((dataset["name"], row["name"]), row["key"])
    tables = []
    for measure in firsts[0].measures if firsts else ():
        if all(measure in table.measures for table in firsts):
            over = across([table.by(measure) for table in firsts])
            if compared is not None and compared.measure == measure:
                over = compared
            tables += [_table(over, keys, facts)] if over else []
    return tables


def _table(over: Across, keys: Mapping[tuple[str, str], str], facts: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    columns = across_columns(over, "page")
    start = len(columns)
    columns += (*AGAINST, *more_columns(over)) if over.compared else ()
    numbers = {name: i for i, name in enumerate(sorted(row.name for row in over.rows))}
    rows = []
    for row in over.rows:
        key = f"record-across-{numbers[row.name]}"
        links = [keys.get((dataset, row.name), key) for dataset in over.datasets]
        cells = [_cell(column, row) for column in columns]
        for cell, link in zip(cells, [*links, *[key] * (len(cells) - len(links))], strict=True):
            cell["key"] = link
        shared = {name: facts[row.name][name] for name in ("family", "supervision")}
        whole = {"complete": row.mean is not None, "published": False}
        rows.append({"name": row.name, "key": key, **shared, "cells": cells, **whole})
        rows[-1]["value"] = _value(row, over)
        if row.against is not None:
            rows[-1]["against"] = [cell["text"] for cell in cells[start : start + len(AGAINST)]]
    return {
        "measure": over.measure,
        "datasets": list(over.datasets),
        "baseline": next((row for row in rows if row["name"] == over.baseline), None),
        "columns": [_heading(column, over) for column in columns],
        "rows": rows,
        "shown": _with_published(rows, over, columns, facts),
        "explained": over.has_intervals,
        "verdict": across_verdict(over),
        "caveats": across_caveats(over),
        "pairs": pairs(over.comparison),
    }


def _with_published(
    rows: Sequence[Mapping[str, Any]],
    over: Across,
    columns: Sequence[Column[AcrossRow]],
    facts: Mapping[str, Mapping[str, Any]],
) -> list[Mapping[str, Any]]:
    """The rows with those of published scores, each in its place; these have no record."""
    shown: dict[str, Mapping[str, Any]] = {row["name"]: row for row in rows}
    for row in over.published:
        cells = [{**_cell(column, row), "best": False, "linked": False, "key": ""} for column in columns]
        about = {name: facts[row.name][name] for name in ("family", "supervision", "source")}
        means = {"value": {"value": row.mean}, "complete": row.mean is not None}
        shown[row.name] = {"name": row.name, **about, "cells": cells, **means, "published": True}
    return [shown[row.name] for row in sorted((*over.rows, *over.published), key=in_order)]


def _value(row: AcrossRow, over: Across) -> dict[str, Any]:
    """What scripts draw of a row's mean; see `harness.report.page_data`."""
    overall, comparison = row.overall, over.comparison
    return {
        "value": row.mean,
        "low": overall.interval.low if overall else None,
        "high": overall.interval.high if overall else None,
        "ranks": formats.ranks(overall.ranks if overall else None),
        "place": comparison.rows.index(row.name) if overall and comparison else None,
    }


def _heading(column: Column[AcrossRow], over: Across) -> dict[str, Any]:
    return {
        "text": column.heading,
        "key": column.key,
        "extra": column.extra,
        "kind": column.kind,
        "title": column.title,
        "sorts": column.kind not in ("interval", "rank", "bar"),
        "dataset": column.heading in over.datasets,
        **dict.fromkeys(("measure", "score", "hidden"), ""),
    }


def _cell(column: Column[AcrossRow], row: AcrossRow) -> dict[str, Any]:
    text = column.text(row)
    return {
        "text": text,
        "value": column.sort_key(row),
        "best": text == column.best,
        "linked": text != formats.MISSING and column.kind not in ("rank", "bar"),
    }


def means(tables: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """For each row across datasets what its mean is made of: the datasets with their records and scores, by name."""
    found: dict[str, dict[str, Any]] = {}
    for over in tables:
        count = len(over["datasets"])
        for row in over["rows"]:
            blank = {"name": row["name"], "key": row["key"], "datasets": {}, "means": {}, "against": []}
            entry = found.setdefault(row["name"], blank)
            cells = row["cells"]
            entry["means"][over["measure"]] = cells[count]["text"]
            for dataset, cell in zip(over["datasets"], cells, strict=False):
                if cell["value"] is not None:
                    scores = entry["datasets"].setdefault(dataset, {"key": cell["key"], "scores": {}})["scores"]
                    scores[over["measure"]] = cell["text"]
            if "against" in row:
                difference, datasets, queries, p = row["against"]
                shown = {"difference": difference, "datasets": datasets, "queries": queries, "p": p}
                entry["against"].append({"measure": over["measure"], "baseline": over["baseline"], **shown})
    return [found[name] for name in sorted(found)]
