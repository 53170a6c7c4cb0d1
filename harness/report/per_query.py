"""One dataset's per-query values and top lists, packed small: the page unpacks them when somebody asks for them."""

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
"""Of gzip: 9 takes several times as long for a page that is one per cent smaller."""
SCALE = 10_000
"""Values are whole numbers of this fraction: four decimals, as they are shown."""


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

    Rows that are not compared with the others are left out: of another revision, of other queries, without per-query
    values; and all but the `most` best where there are more, with a sentence that says so.

    Args:
        table: the dataset's rows.
        store: of the records.
        places: the records with their places, by `harness.bench.store.key_of`.
        words: what the collection says, or None.
        why: the sentence that says why there are no words.
        cache: where the top of each run is kept.
        most: rows that are shown; None shows all.
    """
    rows: list[tuple[int, dict[str, dict[str, float]], StoredRecord]] = []
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
    queries = sorted(set().union(*(by_query for _, values, _ in rows for by_query in values.values())))
    documents = _Numbers()
    return {
        "dataset": table.dataset,
        "why": why,
        "queries": [plain(q) for q in queries],
        "texts": [plain(words.texts.get(q, "")) for q in queries] if words else None,
        "rows": [
            {
                "line": i,
                "seeds": len(table.lines[i].records),
                "values": {m: _whole(by_query, queries) for m, by_query in values.items() if m in table.measures},
                "tops": documents.of(
                    top_lists(first, cache), queries
                ),  # one row's names at a time: there may be millions
            }
            for i, values, first in rows
        ],
        **_said(words, queries, documents),
    }


def packed(value: Mapping[str, Any]) -> str:
    """JSON, gzip, base64; the same bytes for the same value."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return base64.b64encode(gzip.compress(text.encode(), LEVEL, mtime=0)).decode()


class _Numbers:
    """Documents by number, in the order in which they are met."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = defaultdict(itertools.count().__next__)

    def of(self, tops: TopLists | None, queries: Sequence[str]) -> list[list[int]] | None:
        """The top list of each query in numbers, an empty one where it has none; None without top lists."""
        if tops is None:
            return None
        return [list(map(self.numbers.__getitem__, tops.get(query, ()))) for query in queries]


def _said(words: Words | None, queries: Sequence[str], documents: _Numbers) -> dict[str, Any]:
    """Titles and grades of the documents that were met, and the slices of the queries."""
    ids = list(documents.numbers)
    if words is None:
        return {"documents": [plain(d) for d in ids], "titles": None, "grades": None, "relevant": None, "slices": []}
    titles, qrels = words.titles(ids), words.dataset.test.qrels
    grades = [
        [[documents.numbers[d], g] for d, g in qrels.get(q, {}).items() if d in documents.numbers] for q in queries
    ]
    return {
        "documents": [plain(d) for d in ids],
        "titles": [plain(titles.get(d, "")) for d in ids],
        "grades": grades,
        "relevant": [sum(grade > 0 for grade in qrels.get(q, {}).values()) for q in queries],
        "slices": slices(words, queries),
    }


def slices(words: Words, queries: Sequence[str]) -> list[dict[str, Any]]:
    """Queries by length and by term overlap: the name, the labels of the parts, and the part of each query (−1:
    none).
    """
    lengths = [len(words.texts.get(q, "").split()) for q in queries]
    ordered = sorted(lengths)
    cuts = sorted({ordered[len(ordered) * i // 3] for i in (1, 2)} - {ordered[0]}) if ordered else []
    starts = [ordered[0] if ordered else 0, *cuts]
    ends = [*(c - 1 for c in cuts), ordered[-1] if ordered else 0]
    by_length = [sum(length >= cut for cut in cuts) for length in lengths]
    shares = [words.overlap.get(q) for q in queries]
    by_overlap = [-1 if s is None else 0 if s < 1 / 3 else 1 if s < 2 / 3 else 2 for s in shares]
    spans = [f"{low} words" if low == high else f"{low}–{high} words" for low, high in zip(starts, ends, strict=True)]
    return [
        {"name": "length", "labels": spans, "of": by_length},
        {"name": "term overlap", "labels": ["below ⅓", "⅓ to ⅔", "⅔ and more"], "of": by_overlap},
    ]


def _values(stored: Sequence[StoredRecord], store: Store) -> dict[str, dict[str, float]]:
    """Measure → query → mean over the seeds; empty where a seed's values cannot be read."""
    try:
        seeds = [store.values(one) for one in stored]
    except HarnessError:
        return {}
    if len(seeds) == 1:
        return seeds[0]
    shared = [m for m in seeds[0] if all(m in seed for seed in seeds)] if seeds else []
    return {m: {q: sum(s[m].get(q, 0.0) for s in seeds) / len(seeds) for q in seeds[0][m]} for m in shared}


def _whole(by_query: Mapping[str, float], queries: Sequence[str]) -> list[int | None]:
    """The values as whole numbers; None for a query that has no finite value."""
    values = np.array([by_query.get(q, math.nan) for q in queries], np.float64) * SCALE
    return [int(value) if math.isfinite(value) else None for value in np.rint(values).tolist()]


def file_names(line: Line, places: Mapping[Key, StoredRecord], store: Store) -> list[dict[str, str]]:
    """For each record of a row, its files, relative to the results folder; empty where it is not stored."""
    found = []
    for record in line.records:
        stored = places.get(key_of(record))
        place = stored.place if stored else None
        paths = {"record": place.record, "queries": place.queries, "run": place.run} if place else {}
        found.append({name: path.relative_to(store.root).as_posix() for name, path in paths.items() if path.is_file()})
    return found
