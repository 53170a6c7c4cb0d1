"""Adds the comparison to the table across datasets: intervals and ranks of the means, each row against the best."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import TypeVar

from harness.base.errors import HarnessError
from harness.bench.store import Key, Store, StoredRecord, by_key, key_of
from harness.compare.across_datasets import Overall, compare_across
from harness.compare.beyond import Beyond, beyond, on_new_documents, support
from harness.compare.evidence import Scores
from harness.compare.evidence import scores as scores_of
from harness.compare.ties import family_sentence
from harness.report.across import Across, across
from harness.report.board import Line, Table
from harness.statistics.collections import FEWEST

FEW = 10
"""Queries of a dataset below which its interval is too narrow."""
Value = TypeVar("Value", bound=Hashable)
RowScores = dict[str, tuple[Scores, ...]]
"""Row → its scores on each dataset."""


def compared_across(tables: Sequence[Table], store: Store, stored: Sequence[StoredRecord]) -> Across | None:
    """The table across datasets with intervals, ranks and each row against the best; None for fewer than two datasets.

    Only rows with scores on every dataset are compared. A row is left out, with a note, if its per-query values cannot
    be read, or if it is of other queries or another revision than most rows.
    """
    over = across(tables)
    if over is None:
        return None
    read, unread = _read(over, tables, store, by_key(stored))
    scores, others = _of_one_kind(over, read)
    if not scores:
        return dataclasses.replace(over, notes=(*unread, *others))
    comparison, overall = compare_across(list(scores.values()))
    by_row = dict(zip(scores, overall, strict=True))
    rows = tuple(dataclasses.replace(row, overall=by_row.get(row.name)) for row in over.rows)
    every, new, about = _beyond(over, scores, overall)
    rows = tuple(dataclasses.replace(r, beyond=every.get(r.name), on_new=new.get(r.name)) for r in rows)
    family = family_sentence(comparison)
    notes = (*([family] if family else []), *unread, *others, *about, *_limits(over, scores))
    return dataclasses.replace(over, rows=rows, notes=notes, comparison=comparison)


def _beyond(
    over: Across, scores: RowScores, overall: Sequence[Overall]
) -> tuple[dict[str, Beyond], dict[str, Beyond], list[str]]:
    """Each row compared with the first on all queries and on those about new documents, and notes on that."""
    if len(scores) < 2:
        return {}, {}, []
    rows = list(scores.values())
    every = dict(zip(scores, beyond(rows, overall), strict=True))
    places, rows_on_new = on_new_documents(rows)
    notes = [support(len(over.datasets))] if len(over.datasets) >= FEWEST else []
    if not places:
        return every, {}, notes
    new = dict(zip(scores, beyond(rows_on_new), strict=True))
    best = max(new, key=lambda name: new[name].mean)
    without = [dataset for place, dataset in enumerate(over.datasets) if place not in places]
    left_out = f", without {', '.join(without)}, where all queries ask about old ones" if without else ""
    notes.append(f"On new documents{left_out}, `{best}` has the highest mean: {new[best].mean:.4f}.")
    return every, new, notes


def _read(
    over: Across, tables: Sequence[Table], store: Store, places: Mapping[Key, StoredRecord]
) -> tuple[RowScores, list[str]]:
    """The scores of the rows that have one on every dataset, and notes."""
    scores: RowScores = {}
    complete = [row.name for row in over.rows if row.mean is not None]
    notes = [] if complete else ["No row has scores on every dataset: there are no means to compare."]
    for name in complete:
        doubled = [table.dataset for table in tables if sum(line.ok and line.row == name for line in table.lines) > 1]
        if doubled:
            notes.append(f"`{name}`: several methods have this name on {', '.join(doubled)}; the best of them is used.")
        lines = [line for table in tables if (line := table.line(name))]
        try:
            scores[name] = tuple(
                _scores(table, line, over.measure, store, places) for table, line in zip(tables, lines, strict=True)
            )
        except HarnessError as error:
            notes.append(f"`{name}`: without an interval: {error}")
    return scores, notes


def _scores(
    table: Table, line: Line, measure: str, store: Store, places: Mapping[Key, StoredRecord]
) -> Scores:
    """A row's per-query scores; those that its table was compared by are not read again."""
    if line.position is not None and table.scores and table.measures[0] == measure:
        return table.scores[line.position.place]
    return scores_of([places[key_of(record)] for record in line.records], store, measure, line.row)


def _of_one_kind(over: Across, scores: RowScores) -> tuple[RowScores, list[str]]:
    """The rows of the revisions and queries that most rows are of, and notes on the others."""
    kinds = {
        name: tuple((each.records[0].dataset["revision"], each.ids) for each in row) for name, row in scores.items()
    }
    most = most_common(kinds.values())
    notes = []
    for name, kind in kinds.items():
        other = [dataset for dataset, own, usual in zip(over.datasets, kind, most or (), strict=True) if own != usual]
        if other:
            reason = f"of another revision or other queries than most rows on {', '.join(other)}"
            notes.append(f"`{name}`: {reason}; not compared across datasets.")
    return {name: row for name, row in scores.items() if kinds[name] == most}, notes


def _limits(over: Across, scores: RowScores) -> list[str]:
    """Notes on what the intervals and p-values leave out."""
    first = next(iter(scores.values()))
    notes = []
    for dataset, each in zip(over.datasets, first, strict=True):
        if (n := len(each.ids)) < FEW:
            count = "one query" if n == 1 else f"{n} queries"
            notes.append(f"{dataset} has {count}: the intervals understate the uncertainty of its scores.")
    several = [f"`{name}`" for name, row in scores.items() if any(len(each.records) > 1 for each in row)]
    if several:
        notes.append(
            "scores are means over several seeds; intervals do not cover models trained with other seeds: "
            f"{', '.join(several)}."
        )
    return notes


def most_common(values: Iterable[Value]) -> Value | None:
    """The most frequent value; of equally frequent ones the first. None without values."""
    counts = Counter(values).most_common(1)
    return counts[0][0] if counts else None
