"""Agreement: whether per-query values are those of their record. A copied, cut or edited file must not give
intervals.
"""

from __future__ import annotations

import re
from collections.abc import KeysView

from harness.bench.record import Record
from harness.data.measures import PerQuery

ROUNDED = 1e-6
"""How far means may differ: per-query values are stored with six decimals."""
COUNTS = {"NumQ", "NumRel", "NumRet", "NumRelRet", "alpha_DCG", "α_DCG"}
"""Measures that may be above 1."""


def contradiction(record: Record, values: PerQuery) -> str:
    """What first differs between a record and its per-query values, in words; empty where they agree.

    Args:
        record: one with figures.
        values: measure → query id → value, as stored.
    """
    if alone := sorted(values.keys() ^ record.measures.keys()):
        return f"{alone[0]} is {'not in the record' if alone[0] in values else 'only in the record'}"
    queries: KeysView[str] | None = None
    for measure, by_query in values.items():
        if len(by_query) != record.dataset["queries"]:
            return f"{measure}: {len(by_query):,} queries, the record has {record.dataset['queries']:,}"
        if queries is not None and by_query.keys() != queries:
            return f"{measure}: other queries than the measures before it"
        queries = by_query.keys()
        most = float("inf") if re.split(r"[@(]", measure)[0] in COUNTS else 1 + ROUNDED
        if by_query and not (min(by_query.values()) >= 0 and max(by_query.values()) <= most):
            beyond = next(query for query, value in by_query.items() if not 0 <= value <= most)
            return f"{measure}: {by_query[beyond]:.6g} for query {beyond!r} is not a possible value"
        mean, reported = sum(by_query.values()) / max(1, len(by_query)), record.measures[measure]
        if abs(mean - reported) > ROUNDED * max(1.0, abs(reported)):
            return f"{measure}: a mean of {mean:.6f}, the record has {reported:.6f}"
    return ""
