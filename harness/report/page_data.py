"""The data of the page's template: JSON-safe, every number rounded and written as on the other boards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from harness.compare.comparison import Comparison
from harness.report import formats
from harness.report.across import Across
from harness.report.board import Line, Table
from harness.report.column import Column
from harness.report.columns import POSITION, costs, score_column
from harness.report.document_columns import document_columns
from harness.report.notes import notes_of
from harness.report.page_across import across_tables, means
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
    rows = [row for dataset in datasets for row in dataset["rows"]]
    side_by_side = across_tables(firsts, datasets, over)
    return {
        "datasets": datasets,
        "measures": list(dict.fromkeys(m for table in firsts for m in table.measures)),
        "supervisions": sorted({row["supervision"] for row in rows}),
        "families": sorted({row["family"] for row in rows}),
        "across": side_by_side,
        "means": means(side_by_side),
    }


def charts(data: Mapping[str, Any]) -> dict[str, Any]:
    """The part of `page_data` that scripts draw from."""
    fields = ("key", "name", "row", "family", "supervision", "values", "trades", "seeds")
    datasets = []
    for dataset in data["datasets"]:
        shared = {name: dataset[name] for name in ("name", "measures", "pairs", "curves")}
        rows = [{name: row[name] for name in fields} for row in dataset["rows"] if row["ok"]]
        datasets.append({**shared, "rows": rows})
    return {"trades": {name: trade.label for name, trade in TRADE_OFFS.items()}, "datasets": datasets}


def _dataset(place: int, tables: Sequence[Table], files: Sequence[Sequence[Files]]) -> dict[str, Any]:
    table = tables[0]
    measured = [each for each in tables if each.measures]
    lines = {t.measures[0]: {(line.row, line.first.method): line for line in t.lines} for t in measured}
    columns = _columns(table, [each.measures[0] for each in measured if each.has_intervals])
    rows = [_row(f"record-{place}-{i}", line, table, columns, lines, files[i]) for i, line in enumerate(table.lines)]
    mark_fronts(rows, table.measures)
    facts = table.first.dataset
    return {
        "name": table.dataset,
        "facts": f"{facts['documents']:,} documents, {facts['queries']:,} queries, {facts['judgements']:,} judgements",
        "revision": facts["revision"],
        "licence": facts.get("licence") or "",
        "measures": list(table.measures),
        "columns": [_heading(column, measure, table) for column, measure in columns],
        "pairs": {each.measures[0]: pairs(each.comparison) for each in measured},
        "power": {each.measures[0]: f"{each.power}. {each.ties}".strip() for each in measured if each.power},
        "decision": {each.measures[0]: each.decision for each in measured if each.decision},
        "notes": list(dict.fromkeys(note for each in tables for note in notes_of(each))),
        "rows": rows,
        "published": [_published(name, scores, columns) for name, scores in table.published_rows],
        "curves": curves(table),
    }


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
        "ok": line.ok,
        "status": record.status,
        "problem": line.problem,
        "values": values,
        "cells": [_cell(column, lines.get(measure, line)) for column, measure in columns],
        "trades": {name: {"value": trade.value(line) if line.ok else None} for name, trade in TRADE_OFFS.items()},
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


def _published(name: str, scores: Mapping[str, str], columns: Columns) -> dict[str, Any]:
    cells = [scores[column.measure] if column.measure else column.published for column, _ in columns]
    return {"name": name, "cells": cells}


def pairs(comparison: Comparison | None) -> dict[str, Any] | None:
    """Which row of a board is significantly better than which, JSON-safe; all other pairs are tied.

    Returns:
        `corrected`: for how many pairs, in words. `better`: for each row, by its place, the places of the rows that it
        is better than, as starts and ends (exclusive) of runs, for on most boards there are few.
    """
    if comparison is None:
        return None
    padded = np.pad(comparison.better.astype(np.int8), ((0, 0), (1, 1)))
    return {"corrected": comparison.corrected, "better": [np.flatnonzero(np.diff(row)).tolist() for row in padded]}
