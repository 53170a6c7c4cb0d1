"""What the page says of itself: title, description, dates, code, and the commands that make it again."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Sequence
from typing import Any

from harness.base.counts import counted
from harness.bench.record import Record
from harness.report.across import Across
from harness.report.board import Table
from harness.report.headline import across_verdict, verdict

MOST_NAMED = 3
"""Datasets in a title."""


def facts_of(tables: Sequence[Table], over: Across | None) -> dict[str, Any]:
    """JSON-safe; depends on the records alone, so that the page of the same records has the same bytes.

    Args:
        tables: one of each dataset.
        over: the table across them.
    """
    records = [record for table in tables for line in table.lines for record in line.records]
    rows = {line.row for table in tables for line in table.lines if line.ok}
    about = f"{counted(len(rows), 'retrieval system')} on {counted(len(tables), 'dataset')}"
    sentences = [across_verdict(over)] if over else []
    sentences += [f"{table.dataset}: {text}" for table in tables if (text := verdict(table))]
    return {
        "title": f"Retrieval leaderboard: {_named([table.dataset for table in tables])}" if tables else "Leaderboard",
        "about": about,
        "description": " ".join([f"{about}.", *filter(None, sentences)]).replace("`", ""),
        "dates": _dates(records),
        "code": _code(records),
        "commands": [{"dataset": table.dataset, "command": _command(table)} for table in tables],
    }


def _named(names: Sequence[str]) -> str:
    """The first names, and how many more."""
    more = len(names) - MOST_NAMED
    return ", ".join(names[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def _dates(records: Sequence[Record]) -> dict[str, str]:
    """The days of the first and of the last record; empty if unknown."""
    days = sorted(record.started[:10] for record in records if record.started)
    return {"first": days[0], "last": days[-1]} if days else {"first": "", "last": ""}


def _code(records: Sequence[Record]) -> list[dict[str, Any]]:
    """The commits that records were made with, the most frequent first."""
    counts: Counter[str] = Counter()
    for record in records:
        commit = str(record.provenance.get("commit") or "unknown")
        counts[f"{commit} with uncommitted changes" if record.provenance.get("dirty") else commit] += 1
    return [{"commit": commit, "records": n} for commit, n in sorted(counts.items(), key=lambda it: (-it[1], it[0]))]


def _command(table: Table) -> str:
    """Runs all rows of a dataset that have scores."""
    rows = dict.fromkeys(line.expression for line in table.lines if line.ok)
    methods = [part for row in rows for part in ("--method", row)]
    measures = [part for measure in table.measures for part in ("--measure", measure)]
    return shlex.join(["harness", "run", "--dataset", table.dataset, *methods, *measures])
