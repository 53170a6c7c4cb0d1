"""Published scores as rows of the page's tables, in their place among those measured here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from harness.bench.published import FOLDER
from harness.report import formats
from harness.report.board import Line, Table
from harness.report.column import Column


def published_rows(table: Table, columns: Sequence[Column[Line]]) -> list[dict[str, Any]]:
    """Each with its cells, in the form of `harness.report.page_data`; sorted and filtered as the others, and marked.

    Args:
        table: with its published scores.
        columns: those of the page's table.
    """
    sources = {each.row: "; ".join(filter(None, (each.source, each.note))) for each in table.published}
    rows = []
    for name, scores in table.published_rows:
        texts = [scores[column.measure] if column.measure else column.published for column in columns]
        cells = [
            {"text": text, "value": _number(text) if column.measure else None, "best": False, "linked": False}
            for column, text in zip(columns, texts, strict=True)
        ]
        shown = {"name": name, "source": sources.get(name, ""), "published": True, "ok": False, "cells": cells}
        values = {measure: {"value": _number(text)} for measure, text in scores.items()}
        rows.append({**shown, "values": values, "family": FOLDER, "supervision": FOLDER})
    return rows


def published_points(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What the plots show of published scores: they have no cost, and no interval.

    Args:
        rows: all of a dataset as the template takes them.
    """
    fields = ("name", "source", "family", "supervision")
    return [
        {**{name: row[name] for name in fields}, "values": {m: v["value"] for m, v in row["values"].items()}}
        for row in rows
        if row["published"]
    ]


def merged(
    rows: Sequence[Mapping[str, Any]], published: Sequence[Mapping[str, Any]], measures: Sequence[str]
) -> list[Mapping[str, Any]]:
    """All rows, best first by the first of the measures; those without it last, in the order in which they came."""

    def score(row: Mapping[str, Any]) -> float:
        values = [row["values"].get(measure, {}).get("value") for measure in measures[:1]]
        return -values[0] if values and values[0] is not None else float("inf")

    return sorted([*rows, *published], key=score)


def _number(text: str) -> float | None:
    return None if text == formats.MISSING else float(text)
