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
    spent: list[float] = []
    with context.uncached_queries():
        begun = time.perf_counter()
        for i in range(min(QUERIES + WARM_UP, len(queries))):
            one = Queries([queries.ids[i]], [queries.texts[i]])
            started = time.perf_counter()
            searcher.search(one, DEPTH)
            spent.append(time.perf_counter() - started)
            if time.perf_counter() - begun > SECONDS:
                break
    counted = spent[WARM_UP:] or spent[-1:]
    p50, p95 = np.percentile(counted, [50, 95]) * 1000
    return {"p50_ms": round(float(p50), 3), "p95_ms": round(float(p95), 3), "queries": len(counted), "depth": DEPTH}
