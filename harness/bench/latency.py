"""Latency: what a user waits for one query, measured on single queries that are encoded afresh."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from harness.context import Context
from harness.judged import Queries
from harness.methods import Searcher

QUERIES = 50
WARM_UP = 3
SECONDS = 5.0
DEPTH = 100


def latency(searcher: Searcher, queries: Queries, context: Context) -> dict[str, Any] | None:
    """p50 and p95 in milliseconds over up to 50 queries, or as many as 5 seconds allow, after a warm-up.

    One query at a time, nothing of it taken from the cache; the documents stay indexed. None where the searcher only replays
    what was computed elsewhere.
    """
    if not searcher.live:
        return None
    number = len(queries)
    spent: list[float] = []
    with context.uncached_queries():
        for i in range(min(WARM_UP, number)):  # the first loads the model
            _ask(searcher, queries, i)
        begun = time.perf_counter()
        # Other queries than those of the warm-up, as long as there are any.
        for i in range(min(QUERIES, number)):
            spent.append(_ask(searcher, queries, (WARM_UP + i) % number))
            if time.perf_counter() - begun > SECONDS:
                break
    p50, p95 = np.percentile(spent, [50, 95]) * 1000
    return {"p50_ms": round(float(p50), 3), "p95_ms": round(float(p95), 3), "queries": len(spent), "depth": DEPTH}


def _ask(searcher: Searcher, queries: Queries, i: int) -> float:
    one = Queries([queries.ids[i]], [queries.texts[i]])
    started = time.perf_counter()
    searcher.search(one, DEPTH)
    return time.perf_counter() - started
