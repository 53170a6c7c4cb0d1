"""The board as CSV: one line per dataset, row, seed and measure, with provenance.

Text from data is without control characters, and gets an apostrophe if a spreadsheet would take it for a formula, as
`=HYPERLINK(…)`.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Sequence

from harness.base.plain import plain
from harness.bench.document_split import PARTS, part_mean
from harness.bench.published import FOLDER
from harness.bench.record import Record
from harness.report.board import Line, Table
from harness.report.column import plugin_columns
from harness.report.columns import COSTS

PART_HEADINGS = tuple(f"value_{part}_documents" for part in PARTS)
"""Of the score over queries about old and about new documents; empty for collections without training queries."""
SCORE = (
    *("dataset", "name", "row", "seed", "status", "measure", "value", "judged", "value_if_unjudged_relevant"),
    *PART_HEADINGS,
)
"""Headings of what differs by measure; published scores have the first seven."""
Fields = tuple[tuple[str, Callable[[Record], object]], ...]
"""Headings and values of a record."""
PROVENANCE: Fields = (
    ("depth", lambda record: record.depth),
    ("dataset_revision", lambda record: record.dataset["revision"]),
    ("method", lambda record: record.method),
    ("identity", lambda record: record.identity),
    ("commit", lambda record: record.provenance.get("commit") or ""),
    ("dirty", lambda record: record.provenance.get("dirty")),
    ("started", lambda record: record.started),
)
OF_RECORD = (*(field for column in COSTS for field in column.csv), *PROVENANCE)
"""Heading and value of what is the same for all measures of a record."""
HEAD = (*SCORE, *(heading for heading, _ in OF_RECORD))

FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
"""First characters of what spreadsheets compute."""


def leaderboard(tables: Sequence[Table]) -> str:
    """All records, one score per line, in the order of the tables, then the published scores of each."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    more = tuple(field for column in plugin_columns() for field in column.csv)
    writer.writerow((*HEAD, *(heading for heading, _ in more)))
    for table in tables:
        for line in table.lines:
            for record in line.records:
                writer.writerows(_lines(line, record, table.measures, more))
        writer.writerows(_published(table, len(HEAD) + len(more)))
    return out.getvalue()


def _lines(line: Line, record: Record, measures: Sequence[str], more: Fields) -> Iterator[list[object]]:
    """One for each measure; one without a score if there is none."""
    start = [cell(value) for value in (record.dataset["name"], line.row, record.row, record.seed, record.status)]
    end = [cell(value(record)) for _, value in (*OF_RECORD, *more)]
    for measure in [each for each in measures if each in record.measures] or [""]:
        value = f"{record.measures[measure]:.6f}" if measure else ""
        unjudged = record.unjudged.get(measure, {})
        bounds = (unjudged.get("judged", ""), unjudged.get("all_relevant", ""))
        means = [part_mean(record, part, measure) for part in PARTS]
        parts = ["" if mean is None else f"{mean:.6f}" for mean in means]
        yield [*start, *map(cell, (measure, value, *bounds, *parts)), *end]


def _published(table: Table, width: int) -> Iterator[list[object]]:
    for each in table.published:
        for measure in table.measures:
            score = each.figures[table.dataset].get(measure)
            if score is not None:
                start = (table.dataset, each.row, each.row, "", FOLDER, measure, f"{score:.6f}")
                yield [*map(cell, start), *[""] * (width - len(start))]


def cell(value: object) -> object:
    """A cell that every spreadsheet shows as it is; numbers are unchanged."""
    if not isinstance(value, str):
        return value
    text = plain(value)
    return f"'{text}" if text.lstrip().startswith(FORMULA) else text
