"""Puts on the tables what the per-query values say: intervals of the means, differences from the best, ranges of
ranks.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from harness.base.errors import HarnessError
from harness.bench.store import Key, Store, StoredRecord, by_key, key_of
from harness.compare.across_datasets import overall
from harness.compare.advice import sentences
from harness.compare.decision import caveats, decide
from harness.compare.evidence import Scores, scores
from harness.compare.ties import standing
from harness.report.board import Across, Line, Table, across

MOST_WORK = 1_200_000
"""Rows squared times queries, up to which further measures get intervals too and a decision is told: pairs take their
time.
"""


FEW = 10
"""Queries of a dataset below which its interval is too narrow."""


def with_standings(
    found: Sequence[Table], store: Store, held: Sequence[StoredRecord], advance: Callable[[], object] = lambda: None
) -> list[Table]:
    """The tables with what is said of their rows, by their first measure, and the sentence on what can be seen.

    A row whose per-query values cannot be read, or that is of another revision or of other queries, stays without, with
    a note. `advance` is called after each table.
    """
    places = by_key(held)
    placed = []
    for table in found:
        placed.append(_with_standing(table, store, places))
        advance()
    return placed


def by_each_measure(found: Sequence[Table], store: Store, held: Sequence[StoredRecord]) -> list[tuple[Table, ...]]:
    """Each table once for every measure, that measure first; all with standings where the table is small enough.

    Args:
        found: tables that have their standings by their first measure.
        store: of the per-query values.
        held: the records with their places.
    """
    places = by_key(held)
    return [
        (table, *(_other(table.by(measure), store, places) for measure in table.measures[1:]))
        if table.measures
        else (table,)
        for table in found
    ]


def across_with_standing(found: Sequence[Table], store: Store, held: Sequence[StoredRecord]) -> Across | None:
    """The table across datasets with intervals, ranks and each row against the best; None for fewer than two datasets.

    Only rows with figures on every dataset are compared. One whose per-query values cannot be read, or that is of other
    queries or another revision than most rows, stays without, with a note.
    """
    over = across(found)
    if over is None:
        return None
    read, unread = _read(over, found, store, by_key(held))
    scored, others = _of_one_kind(over, read)
    if not scored:
        return dataclasses.replace(over, notes=(*unread, *others))
    stands, placed = overall(list(scored.values()))
    told = [f"Intervals of differences and ranks are corrected for {stands.corrected}."] if len(scored) > 1 else []
    notes = (*told, *unread, *others, *_weak(over, scored))
    return dataclasses.replace(over, standing=dict(zip(scored, placed, strict=True)), notes=notes)


def _read(
    over: Across, found: Sequence[Table], store: Store, places: Mapping[Key, StoredRecord]
) -> tuple[dict[str, tuple[Scores, ...]], list[str]]:
    """The scores of the rows that have figures on every dataset, and notes."""
    scored: dict[str, tuple[Scores, ...]] = {}
    complete = [name for name, values in over.rows if Across.mean(values) is not None]
    notes = [] if complete else ["No row has figures on every dataset: there are no means to compare."]
    for name in complete:
        doubled = [table.dataset for table in found if sum(line.ok and line.row == name for line in table.lines) > 1]
        if doubled:
            notes.append(
                f"`{name}`: several methods bear this name on {', '.join(doubled)}; the best of them is taken."
            )
        lines = [line for table in found if (line := table.line(name))]
        try:
            scored[name] = tuple(
                scores([places[key_of(r)] for r in line.records], store, over.measure) for line in lines
            )
        except HarnessError as error:
            notes.append(f"`{name}`: without an interval: {error}")
    return scored, notes


def _of_one_kind(
    over: Across, scored: dict[str, tuple[Scores, ...]]
) -> tuple[dict[str, tuple[Scores, ...]], list[str]]:
    """The rows of the revisions and queries that most rows are of, and notes on the others."""
    kinds = {
        name: tuple((each.records[0].dataset["revision"], each.ids) for each in row) for name, row in scored.items()
    }
    if not kinds:
        return {}, []
    most = Counter(kinds.values()).most_common(1)[0][0]  # of equally many the first, which has the best row
    notes = []
    for name, kind in kinds.items():
        there = [dataset for dataset, one, other in zip(over.datasets, kind, most, strict=True) if one != other]
        if there:
            told = f"of another revision or other queries than most rows on {', '.join(there)}"
            notes.append(f"`{name}`: {told}; not compared across datasets.")
    return {name: row for name, row in scored.items() if kinds[name] == most}, notes


def _weak(over: Across, scored: dict[str, tuple[Scores, ...]]) -> list[str]:
    """Notes on what the intervals and p-values leave out."""
    shared = next(iter(scored.values()), None)
    if shared is None:
        return []
    few = {dataset: len(each.ids) for dataset, each in zip(over.datasets, shared, strict=True) if len(each.ids) < FEW}
    notes = [
        f"{dataset} has {'one query' if n == 1 else f'{n} queries'}: the intervals take its figures for surer than "
        f"they are."
        for dataset, n in few.items()
    ]
    several = [f"`{name}`" for name, row in scored.items() if any(len(each.records) > 1 for each in row)]
    if several:
        notes.append(
            f"the mean of several seeds counts; nothing is said of models trained with others: {', '.join(several)}."
        )
    return notes


def _other(table: Table, store: Store, places: Mapping[Key, StoredRecord]) -> Table:
    return _with_standing(table, store, places) if _work(table) <= MOST_WORK else table


def _with_standing(table: Table, store: Store, places: Mapping[Key, StoredRecord]) -> Table:
    scored: dict[Line, Scores] = {}
    more = list(table.more)
    for line in table.lines:
        if not line.ok or not table.measures or table.measures[0] not in line.first.measures:
            continue
        if any(r.dataset["revision"] != table.first.dataset["revision"] for r in line.records):
            continue  # the table has a note on it
        try:
            scored[line] = scores([places[key_of(record)] for record in line.records], store, table.measures[0])
        except HarnessError as error:
            more.append(f"`{line.row}`: without an interval: {error}")
    most = Counter(each.ids for each in scored.values()).most_common(1)
    for line in [line for line, each in scored.items() if each.ids != most[0][0]]:
        more.append(f"`{line.row}`: of other queries than most rows; not compared with them.")
        del scored[line]
    if not scored:
        return dataclasses.replace(table, more=tuple(more))
    stands = standing(list(scored.values()))
    placed = dict(zip(scored, stands.placed, strict=True))
    lines = [dataclasses.replace(line, placed=placed.get(line)) for line in table.lines]
    told: tuple[str, ...] = ()
    if len(scored) > 1 and _work(table) <= MOST_WORK:
        decision = decide(list(scored.values()), stands=stands)
        told = (*sentences(decision), *caveats(decision))
    elif len(scored) > 1:
        told = ("Too many rows for a decision here; `harness decide` takes those that you name.",)
    return dataclasses.replace(
        table, lines=tuple(lines), more=tuple(more), seen=stands.sentence, decision=told, standing=stands
    )


def _work(table: Table) -> int:
    return len(table.lines) ** 2 * int(table.first.dataset["queries"])
