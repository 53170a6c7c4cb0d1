"""The data of the page's template: JSON-safe, every number rounded and written as on the other boards."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from harness.report import formats
from harness.report.across import Across
from harness.report.board import Line, Table
from harness.report.column import Column
from harness.report.columns import POSITION, costs, score_column
from harness.report.document_columns import document_columns
from harness.report.headline import caveats, verdict
from harness.report.notes import notes_of
from harness.report.page_across import across_tables, means
from harness.report.page_across_chart import across_chart
from harness.report.page_facts import facts_of
from harness.report.page_pairs import pairs
from harness.report.page_published import merged, published_points, published_rows
from harness.report.page_records import Files, curves, record_data
from harness.report.trade_offs import TRADE_OFFS, mark_fronts

Columns = list[tuple[Column[Line], str]]
"""Each with the measure by which its cells are shown; empty if they are the same for all measures."""
ByMeasure = Mapping[str, Mapping[tuple[str, str], Line]]
"""Measure → row and method → the row's line in the table that has that measure first."""


def page_data(
    tables: Sequence[Sequence[Table]], files: Sequence[Sequence[Sequence[Files]]], over: Across | None = None
) -> dict[str, Any]:
    """The tables as the template takes them.

    Args:
        tables: for each dataset its table, once for each measure, that measure first.
        files: for each dataset, row and seed, the record's files (`harness.report.per_query.file_names`).
        over: the table across datasets with its comparison; None makes it from the tables alone.
    """
    firsts = [by_measure[0] for by_measure in tables]
    datasets = [_dataset(i, by_measure, files[i]) for i, by_measure in enumerate(tables)]
    rows = [row for dataset in datasets for row in dataset["shown"]]
    side_by_side = across_tables(firsts, datasets, over)
    return {
        **facts_of(firsts, over),
        "datasets": datasets,
        "measures": list(dict.fromkeys(m for table in firsts for m in table.measures)),
        "supervisions": sorted({row["supervision"] for row in rows}),
        "families": sorted({row["family"] for row in rows}),
        "across": side_by_side,
        "means": means(side_by_side),
        "across_chart": across_chart(side_by_side, datasets),
        "start": _start(datasets),
    }


def _label(rows: Sequence[dict[str, Any]], dataset: str) -> None:
    """Adds to each row the name that a link to its record has."""
    seen: Counter[str] = Counter()
    for row in rows:
        seen[row["name"]] += 1
        again = f" ({seen[row['name']]})" if seen[row["name"]] > 1 else ""
        row["label"] = f"{row['name']} on {dataset}{again}"


def _start(datasets: Sequence[Mapping[str, Any]]) -> int:
    """The place of the dataset that the page opens on: the first of those with the most scores; 0 without any."""
    counts = [sum(row["ok"] for row in dataset["rows"]) for dataset in datasets]
    return counts.index(max(counts)) if counts else 0


def charts(data: Mapping[str, Any]) -> dict[str, Any]:
    """The part of `page_data` that scripts draw from."""
    fields = ("key", "name", "row", "family", "supervision", "values", "trades", "seeds")
    datasets = []
    for dataset in data["datasets"]:
        shared = {name: dataset[name] for name in ("name", "measures", "pairs", "curves")}
        rows = [{name: row[name] for name in fields} for row in dataset["rows"] if row["ok"]]
        datasets.append({**shared, "rows": rows, "published": published_points(dataset["shown"])})
    return {
        "trades": {name: trade.label for name, trade in TRADE_OFFS.items()},
        "datasets": datasets,
        "across": data["across_chart"],
        "start": data["start"],
    }


def _dataset(place: int, tables: Sequence[Table], files: Sequence[Sequence[Files]]) -> dict[str, Any]:
    table = tables[0]
    measured = [each for each in tables if each.measures]
    lines = {t.measures[0]: {(line.row, line.first.method): line for line in t.lines} for t in measured}
    columns = _columns(table, [each.measures[0] for each in measured if each.has_intervals])
    rows = [_row(f"record-{place}-{i}", line, table, columns, lines, files[i]) for i, line in enumerate(table.lines)]
    mark_fronts(rows, table.measures)
    _label(rows, table.dataset)
    facts = table.first.dataset
    return {
        "name": table.dataset,
        "facts": f"{facts['documents']:,} documents, {facts['queries']:,} queries, {facts['judgements']:,} judgements",
        "revision": facts["revision"],
        "licence": facts.get("licence") or "",
        "measures": list(table.measures),
        "columns": [_heading(column, measure, table) for column, measure in columns],
        "pairs": {each.measures[0]: pairs(each.comparison) for each in measured},
        "power": {each.measures[0]: each.ties for each in measured if each.ties},
        "verdict": {each.measures[0]: text for each in measured if (text := verdict(each))},
        "caveats": {each.measures[0]: limits for each in measured if (limits := caveats(each))},
        "decision": {each.measures[0]: more for each in measured if (more := _more(each))},
        "notes": list(dict.fromkeys(note for each in tables for note in notes_of(each))),
        "rows": rows,
        "shown": merged(rows, published_rows(table, [column for column, _ in columns]), table.measures[0:1]),
        "curves": curves(table),
    }


def _more(table: Table) -> list[str]:
    """The decision without what the headline says."""
    said = {verdict(table), *table.caveats, table.ties}
    return [sentence for sentence in table.decision if sentence not in said]


def _columns(table: Table, compared: Sequence[str]) -> Columns:
    """Those of the page: after each measure by which rows are compared, their positions by it."""
    columns: Columns = []
    for measure in table.measures:
        columns.append((score_column(measure, table.best(measure)), measure))
        columns += [(column, measure) for column in POSITION if "page" in column.where and measure in compared]
        if measure == table.measures[0]:
            columns += [(column, "") for column in document_columns(table) if "page" in column.where]
    return [*columns, *((column, "") for column in costs() if "page" in column.where)]


def _heading(column: Column[Line], measure: str, table: Table) -> dict[str, Any]:
    of_position = column in POSITION
    return {
        "text": column.heading,
        "key": column.key,
        "extra": column.extra,
        "kind": column.kind,
        "measure": measure,
        "title": column.title,
        "score": bool(column.measure),
        "sorts": not of_position,
        "hidden": of_position and measure != table.measures[0],
    }


def _row(
    key: str, line: Line, table: Table, columns: Columns, by_measure: ByMeasure, files: Sequence[Files]
) -> dict[str, Any]:
    record = line.first
    lines = {measure: by_measure.get(measure, {}).get((line.row, record.method), line) for measure in table.measures}
    values = {measure: _value(measure, line, lines[measure]) for measure in table.measures}
    measured = [r for r in line.records if line.ok]
    return {
        "key": key,
        "name": line.row,
        "row": line.expression,
        "method": record.method,
        "family": line.family,
        "supervision": record.supervision,
        "published": False,
        "ok": line.ok,
        "status": record.status,
        "problem": line.problem,
        "values": values,
        "cells": [_cell(column, lines.get(measure, line)) for column, measure in columns],
        "trades": {name: dict(trade.of(line)) for name, trade in TRADE_OFFS.items()},
        "seeds": [{"seed": r.seed, "values": {m: r.measures[m] for m in values if m in r.measures}} for r in measured],
        "records": [record_data(r, f) for r, f in zip(line.records, files, strict=True)],
        "notes": list(dict.fromkeys(note for r in line.records for note in r.notes)),
        "spread": [seeds for measure in values if line.ok and (seeds := line.seeds(measure))],
    }


def _value(measure: str, line: Line, compared: Line) -> dict[str, Any]:
    """What scripts draw of a row's score."""
    interval, position = compared.interval, compared.position
    return {
        "value": line.value(measure) if line.ok else None,
        "low": interval.low if interval else None,
        "high": interval.high if interval else None,
        "ranks": formats.ranks(position.ranks if position else None),
        "place": position.place if position else None,
    }


def _cell(column: Column[Line], line: Line) -> dict[str, Any]:
    text = column.text(line)
    return {
        "text": text,
        "value": column.sort_key(line),
        "best": text == column.best,
        "linked": text != formats.MISSING and column.kind not in ("words", "rank", "bar"),
    }
