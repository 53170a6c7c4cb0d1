"""Adds comparisons to the tables, from the per-query values: intervals, differences from the best, ranks, decisions."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence

from harness.base.errors import HarnessError
from harness.bench.store import Key, Store, StoredRecord, by_key, key_of
from harness.compare.advice import in_short, sentences
from harness.compare.comparison import compare
from harness.compare.control import against_control, lacks_control
from harness.compare.decision import caveats, decide
from harness.compare.documents import compare_parts
from harness.compare.evidence import Scores, scores
from harness.report.board import Line, Table
from harness.report.comparisons_across import most_common
from harness.report.recalibrated import recalibrated

MOST_WORK = 1_200_000
"""Rows squared times queries, up to which further measures get intervals and a table gets a decision: pairs take
time.
"""


def with_comparisons(
    tables: Sequence[Table], store: Store, stored: Sequence[StoredRecord], advance: Callable[[], object] = lambda: None
) -> list[Table]:
    """The tables with their rows compared by the first measure.

    A row is left out, with a note, if its per-query values cannot be read, or if it is of another revision or of other
    queries than most.

    Args:
        tables: without comparisons.
        store: of the per-query values.
        stored: the records with their places.
        advance: called after each table.
    """
    places = by_key(stored)
    compared = []
    for table in tables:
        compared.append(_compared(table, store, places))
        advance()
    return compared


def by_each_measure(tables: Sequence[Table], store: Store, stored: Sequence[StoredRecord]) -> list[tuple[Table, ...]]:
    """Each table once for every measure, that measure first; all with comparisons if the table is small enough.

    Args:
        tables: compared by their first measure.
        store: of the per-query values.
        stored: the records with their places.
    """
    places = by_key(stored)
    return [(table, *_by_further_measures(table, store, places)) for table in tables]


def _by_further_measures(table: Table, store: Store, places: Mapping[Key, StoredRecord]) -> list[Table]:
    tables = [table.by(measure) for measure in table.measures[1:]]
    return [_compared(each, store, places, False) for each in tables] if _work(table) <= MOST_WORK else tables


def _compared(table: Table, store: Store, places: Mapping[Key, StoredRecord], documents: bool = True) -> Table:
    """The table with its rows compared, on old and new documents too if wanted."""
    scored, notes = _read(table, store, places)
    table = dataclasses.replace(table, more_notes=(*table.more_notes, *notes))
    if not scored:
        return table
    if any(each.calibration for each in scored.values()):
        table, scored = recalibrated(table, scored)
    rows = list(scored.values())
    comparison = compare(rows)
    positions = dict(zip(scored, comparison.positions, strict=True))
    lines = tuple(dataclasses.replace(line, position=positions.get(line)) for line in table.lines)
    parts = compare_parts(rows) if documents else ()
    decision: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()
    if len(rows) > 1 and _work(table) <= MOST_WORK:
        decided = decide(rows, comparison=comparison, parts=parts)
        decision = (*sentences(decided), *caveats(decided))
        limits = (*in_short(decided), *caveats(decided))
    elif len(rows) > 1:
        decision = ("Too many rows to decide between here: use `harness decide` with the rows of interest.",)
    return dataclasses.replace(
        table,
        lines=lines,
        power=comparison.power,
        decision=decision,
        caveats=limits,
        comparison=comparison,
        scores=tuple(rows),
        parts=parts,
        against_control=against_control(rows, comparison, parts) if documents else {},
        lacks_control=documents and lacks_control(rows),
    )


def _read(table: Table, store: Store, places: Mapping[Key, StoredRecord]) -> tuple[dict[Line, Scores], list[str]]:
    """The scores of the rows that can be compared, and notes on the others."""
    scored: dict[Line, Scores] = {}
    notes = []
    for line in table.lines:
        if not line.ok or not table.measures or table.measures[0] not in line.first.measures:
            continue
        if any(record.dataset["revision"] != table.first.dataset["revision"] for record in line.records):
            continue  # `notes_of` has a note on it
        try:
            stored = [places[key_of(record)] for record in line.records]
            scored[line] = scores(stored, store, table.measures[0], line.row)
        except HarnessError as error:
            notes.append(f"`{line.row}`: without an interval: {error}")
    most = most_common(each.ids for each in scored.values())
    others = [line for line, each in scored.items() if each.ids != most]
    notes += [f"`{line.row}`: of other queries than most rows; not compared with them." for line in others]
    if most is None:
        return {}, notes
    # One tuple of ids for all rows: a board may have thousands of rows and of queries.
    return {line: dataclasses.replace(each, ids=most) for line, each in scored.items() if each.ids == most}, notes


def _work(table: Table) -> int:
    return len(table.lines) ** 2 * int(table.first.dataset["queries"])
