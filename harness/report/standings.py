"""Puts on each table what the per-query values say: intervals of the means, and who cannot be told apart."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from harness.bench.decision import decide, sentences
from harness.bench.evidence import Scores, scores
from harness.bench.record import Record
from harness.bench.standing import LEAST_DRAWS, standing
from harness.bench.store import Store, Stored
from harness.errors import HarnessError
from harness.report.board import Line, Table

MOST_WORK = 500_000
"""Rows squared times queries, up to which further measures get intervals too and a decision is told: pairs take their time."""


def with_standings(found: Sequence[Table], store: Store, held: Sequence[Stored]) -> list[Table]:
    """The tables with `interval` and `letters` of their rows, by their first measure, and the sentence on what can be seen.

    A row whose per-query values cannot be read, or that is of another revision or of other queries, stays without, with a note.
    """
    places = {_key(stored.record): stored for stored in held}
    return [_with_standing(table, store, places) for table in found]


def by_each_measure(found: Sequence[Table], store: Store, held: Sequence[Stored]) -> list[tuple[Table, ...]]:
    """Each table once for every measure, that measure first; all with standings where the table is small enough.

    Args:
        found: tables that have their standings by their first measure.
        store: of the per-query values.
        held: the records with their places.
    """
    return [
        (table, *(_other(table.by(measure), store, held) for measure in table.measures[1:])) if table.measures else (table,)
        for table in found
    ]


def _other(table: Table, store: Store, held: Sequence[Stored]) -> Table:
    return with_standings([table], store, held)[0] if _work(table) <= MOST_WORK else table


def _with_standing(table: Table, store: Store, places: dict[tuple[str, ...], Stored]) -> Table:
    scored: dict[Line, Scores] = {}
    more = list(table.more)
    for line in table.lines:
        if not line.ok or not table.measures or table.measures[0] not in line.first.measures:
            continue
        try:
            here = scores([places[_key(record)] for record in line.records], store, table.measures[0])
            if any(r.dataset["revision"] != table.first.dataset["revision"] for r in line.records):
                continue  # the table has a note on it
            if scored and here.ids != next(iter(scored.values())).ids:
                more.append(f"`{line.row}`: of other queries than `{next(iter(scored)).row}`; not compared with it.")
                continue
            scored[line] = here
        except HarnessError as error:
            more.append(f"`{line.row}`: without an interval: {error}")
    if not scored:
        return dataclasses.replace(table, more=tuple(more))
    stands = standing(list(scored.values()))
    placed = dict(zip(scored, zip(stands.intervals, stands.letters, strict=True), strict=True))
    lines = [dataclasses.replace(ln, interval=placed[ln][0], letters=placed[ln][1]) if ln in placed else ln for ln in table.lines]
    told: tuple[str, ...] = ()
    if len(scored) > 1 and _work(table) <= MOST_WORK:
        told = tuple(sentences(decide(list(scored.values()), stands=stands, draws=LEAST_DRAWS)))
    return dataclasses.replace(table, lines=tuple(lines), more=tuple(more), seen=stands.sentence, decision=told)


def _work(table: Table) -> int:
    return len(table.lines) ** 2 * int(table.first.dataset["queries"])


def _key(record: Record) -> tuple[str, ...]:
    return record.dataset["name"], record.row, record.method, str(record.seed)
