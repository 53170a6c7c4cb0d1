"""Pools judged, a batch of queries after the other, until as many queries are kept as are wanted."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from harness.choices.value import Value
from harness.data.corpus import Corpus
from harness.data.ranking import Ints
from harness.judges import Grades, Pairs
from harness.runtime.context import Context
from harness.testset.queries import Made
from harness.testset.request import Request

MANY = 0.5
"""A query is ambiguous if more than this share of its pool is graded 2 or 3."""
FEWEST = 30
"""If fewer queries are left, those of documents that are like no other are taken with their own document."""
FEWEST_KEPT = 0.1
"""Share of queries that is expected to be kept at least, for the size of the next batch."""
Tell = Callable[[str], None]


@dataclass
class Kept:
    """Queries that have a relevant document, and not too many.

    Args:
        queries: in the order in which they were judged.
        pairs: the pool of each.
        grades: of the pools.
        dropped: why → how many.
        alone: parts of documents without a relevant document, with their pools.
    """

    queries: list[Made] = field(default_factory=list)
    pairs: list[Ints] = field(default_factory=list)
    grades: Grades = field(default_factory=lambda: Grades([]))
    dropped: Counter[str] = field(default_factory=Counter)
    alone: list[tuple[Made, Ints]] = field(default_factory=list)


def graded(
    request: Request,
    queue: Sequence[tuple[Made, Ints]],
    corpus: Corpus,
    known: Pairs,
    context: Context,
    tell: Tell,
) -> Kept:
    """Judges queries in turn. A judge that is paid judges only as many as are wanted, as its price says.

    Args:
        request: the settings.
        queue: queries with their pools, those to judge first in front.
        corpus: all documents.
        known: see `Judge.grade`.
        context: seed, cache, device, progress.
        tell: called before each batch.

    Raises:
        HarnessError: the judge fails; what was computed or paid for is cached.
    """
    kept, judged = Kept(), 0
    pool = _pairs(queue)

    def judge(batch: Sequence[tuple[Made, Ints]]) -> None:
        pairs = replace(_pairs(batch), pool=pool)
        tell(f"{len(pairs):,} pairs of {len(batch):,} queries to judge with {request.judge.label()}")
        _add(kept, batch, request.judge.grade(corpus, pairs, known, context), request)

    most = min(request.queries, len(queue)) if is_paid(request.judge) else len(queue)
    while judged < most and len(kept.queries) < request.queries:
        missing = request.queries - len(kept.queries)
        rate = max(FEWEST_KEPT, len(kept.queries) / judged) if judged else 1.0
        batch = queue[judged : min(most, judged + math.ceil(missing / rate))]
        judged += len(batch)
        judge(batch)
    left = kept.alone[: request.queries - len(kept.queries)]
    if left and len(kept.queries) < min(FEWEST, request.queries) and not is_paid(request.judge):
        kept.dropped["no relevant document"] -= len(left)
        judge([(replace(each, alone=True), np.union1d(rows, [each.row]).astype(np.int64)) for each, rows in left])
    return kept


def _pairs(batch: Sequence[tuple[Made, Ints]]) -> Pairs:
    return Pairs([each.text for each, _ in batch], [rows for _, rows in batch], [each.row for each, _ in batch])


def is_paid(value: Value) -> bool:
    """Whether a choice, or a part of it, sends requests that cost money."""
    return bool(getattr(value, "paid", False)) or any(map(is_paid, value.parts()))


def _add(kept: Kept, batch: Sequence[tuple[Made, Ints]], grades: Grades, request: Request) -> None:
    kept.grades = Grades(kept.grades.values, kept.grades.facts or grades.facts)
    for (query, rows), values in zip(batch, grades.values, strict=True):
        if not (values > 0).any():
            kept.dropped["no relevant document"] += 1
            if query.is_part:
                kept.alone.append((query, rows))
        elif query.row >= 0 and len(values) >= request.depth and (values >= 2).mean() > MANY:
            kept.dropped["answered by too many documents"] += 1
        elif len(kept.queries) < request.queries:
            kept.queries.append(query)
            kept.pairs.append(rows)
            kept.grades.values.append(values)
