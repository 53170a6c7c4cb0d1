"""One dataset's per-query values and top lists, compressed: the page unpacks them when they are opened."""

from __future__ import annotations

import base64
import gzip
import itertools
import json
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from harness.base.errors import HarnessError
from harness.base.plain import plain
from harness.bench.store import Key, Store, StoredRecord, key_of
from harness.cache.folders import Cache
from harness.report.board import Line, Table
from harness.report.collection import Words
from harness.report.top_lists import TopLists, top_lists

LEVEL = 6
"""Of gzip: 9 takes several times as long for a page that is 1 % smaller."""
_Values = dict[str, dict[str, float]]
"""Measure → query id → value."""
SCALE = 10_000
"""Values are integers in units of 1/10,000: four decimals, as they are shown."""


def per_query(
    table: Table,
    store: Store,
    places: Mapping[Key, StoredRecord],
    words: Words | None,
    why: str,
    cache: Cache,
    most: int | None = None,
) -> dict[str, Any]:
    """What the page's query browser shows of a dataset, JSON-safe.

    Rows that are not compared with the others are left out: of another revision, of other queries, or without
    per-query values; and all but the `most` best, with a sentence on it.

    Args:
        table: the dataset's rows.
        store: of the records.
        places: the records with their places, by `harness.bench.store.key_of`.
        words: texts of the collection, or None.
        why: why there are no texts, as a sentence.
        cache: of the top list of each run.
        most: rows that are shown; None shows all.
    """
    rows: list[tuple[int, _Values, StoredRecord]] = []
    for i, line in enumerate(table.lines):
        if most is not None and len(rows) == most:
            best = f"Only the {most} best of {len(table.lines)} rows by {table.measures[0]} are here"
            why = f"{why} {best}: with all, the page would be too large to open.".strip()
            break
        if line.ok and line.first.dataset["revision"] == table.first.dataset["revision"]:
            stored = [places[key] for record in line.records if (key := key_of(record)) in places]
            values = _values(stored, store)
            if values and (line.interval is not None or not table.has_intervals):
                rows.append((i, values, stored[0]))
    ids: set[str] = set()
    for _, values, _ in rows:
        ids.update(*values.values())
    queries = sorted(ids)
    documents = _Numbers()
    shown = []
    for i, values, first in rows:  # one row's top lists at a time: there may be millions of documents
        by_measure = {m: _integers(by_query, queries) for m, by_query in values.items() if m in table.measures}
        tops = documents.of(top_lists(first, cache), queries)
        shown.append({"line": i, "seeds": len(table.lines[i].records), "values": by_measure, "tops": tops})
    return {
        "dataset": table.dataset,
        "why": why,
        "queries": [plain(q) for q in queries],
        "texts": [plain(words.texts.get(q, "")) for q in queries] if words and words.shown else None,
        "rows": shown,
        **_of_collection(words, queries, documents),
    }


def packed(value: Mapping[str, Any]) -> str:
    """JSON, gzip, base64; the same bytes for the same value."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return base64.b64encode(gzip.compress(text.encode(), LEVEL, mtime=0)).decode()


class _Numbers:
    """Numbers the documents, in the order of their first occurrence."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = defaultdict(itertools.count().__next__)

    def of(self, tops: TopLists | None, queries: Sequence[str]) -> list[list[int]] | None:
        """The top list of each query as numbers, empty for a query without one; None without top lists."""
        if tops is None:
            return None
        return [list(map(self.numbers.__getitem__, tops.get(query, ()))) for query in queries]


def _of_collection(words: Words | None, queries: Sequence[str], documents: _Numbers) -> dict[str, Any]:
    """Titles and grades of the numbered documents, and the slices of the queries."""
    ids = list(documents.numbers)
    if words is None:
        return {"documents": [plain(d) for d in ids], "titles": None, "grades": None, "relevant": None, "slices": []}
    titles, qrels = words.titles(ids) if words.shown else {}, words.dataset.test.qrels
    grades, relevant = [], []
    for query in queries:
        judged = qrels.get(query, {})
        grades.append([[documents.numbers[d], grade] for d, grade in judged.items() if d in documents.numbers])
        relevant.append(sum(grade > 0 for grade in judged.values()))
    return {
        "documents": [plain(d) for d in ids],
        "titles": [plain(titles.get(d, "")) for d in ids] if words.shown else None,
        "grades": grades,
        "relevant": relevant,
        "slices": slices(words, queries),
    }


def slices(words: Words, queries: Sequence[str]) -> list[dict[str, Any]]:
    """Queries by length and by term overlap: the name, the labels of the parts, and the part of each query (−1:
    none).
    """
    lengths = [len(words.texts.get(q, "").split()) for q in queries]
    ordered = sorted(lengths) or [0]
    cuts = sorted({ordered[len(ordered) * i // 3] for i in (1, 2)} - {ordered[0]})  # thirds, fewer with equal lengths
    starts, ends = [ordered[0], *cuts], [*(cut - 1 for cut in cuts), ordered[-1]]
    by_length = [sum(length >= cut for cut in cuts) for length in lengths]
    by_overlap = [_third(words.overlap.get(query)) for query in queries]
    spans = [f"{low} words" if low == high else f"{low}–{high} words" for low, high in zip(starts, ends, strict=True)]
    return [
        {"name": "length", "labels": spans, "of": by_length},
        {"name": "term overlap", "labels": ["below ⅓", "⅓ to ⅔", "⅔ and more"], "of": by_overlap},
    ]


def _third(share: float | None) -> int:
    """0, 1 or 2; −1 if unknown."""
    if share is None:
        return -1
    return sum(share >= edge for edge in (1 / 3, 2 / 3))


def _values(stored: Sequence[StoredRecord], store: Store) -> _Values:
    """The means over the seeds; empty if a seed's values cannot be read."""
    try:
        seeds = [store.values(each) for each in stored]
    except HarnessError:
        return {}
    if len(seeds) <= 1:
        return seeds[0] if seeds else {}
    means: _Values = {}
    for measure in seeds[0]:
        if all(measure in seed for seed in seeds):
            columns = [seed[measure] for seed in seeds]
            means[measure] = {q: sum(column.get(q, 0.0) for column in columns) / len(seeds) for q in columns[0]}
    return means


def _integers(by_query: Mapping[str, float], queries: Sequence[str]) -> list[int | None]:
    """The values in units of 1/`SCALE`; None for a query that has no finite value."""
    values = np.array([by_query.get(q, math.nan) for q in queries], np.float64) * SCALE
    return [int(value) if math.isfinite(value) else None for value in np.rint(values).tolist()]


def file_names(line: Line, places: Mapping[Key, StoredRecord], store: Store) -> list[dict[str, str]]:
    """For each record of a row, its files, relative to the results folder; empty if it is not stored."""
    names = []
    for record in line.records:
        stored, paths = places.get(key_of(record)), {}
        if stored is not None:
            paths = {"record": stored.place.record, "queries": stored.place.queries, "run": stored.place.run}
        names.append({name: path.relative_to(store.root).as_posix() for name, path in paths.items() if path.is_file()})
    return names
