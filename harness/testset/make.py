"""A test set from a corpus, step by step: documents, sample, queries, filters, pools, grades, files.

Every step is decided by the corpus, the settings and the seed, and what is slow or paid for is cached as it is made:
after a kill the same command gives the same bytes, and no model is asked twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from harness.base.errors import DatasetError
from harness.data.corpus import Corpus
from harness.data.queries import Queries
from harness.data.ranking import Ints
from harness.judges import Grades
from harness.judging.machine import KNOWN, known_pairs
from harness.judging.pool import Pool, pooled
from harness.runtime.context import Context
from harness.testset.filters import found_again, without_copies, without_leaks
from harness.testset.graded import Tell, graded
from harness.testset.queries import Made, from_log, made, one_each, one_part_each
from harness.testset.request import Request
from harness.testset.sample import sample

SEARCHED = 4
"""Queries that are searched for each wanted one, at most; filters drop the others."""
LEAST = 10
"""Documents that a corpus must have."""


@dataclass
class Drops:
    """How many queries were dropped: reason → number."""

    counts: Counter[str] = field(default_factory=Counter)

    def add(self, why: str, many: int) -> None:
        """Counts some."""
        if many:
            self.counts[why] += many


@dataclass(frozen=True)
class TestSet:
    """A test set before it is written.

    Args:
        queries: that have a relevant document.
        pairs: the pool of each query.
        grades: of the pools.
        drops: reason → number of queries.
        copied: kind of query → mean share of content words that are copied from its document.
        asked: number of documents that were asked about.
    """

    __test__ = False

    queries: tuple[Made, ...]
    pairs: tuple[Ints, ...]
    grades: Grades
    drops: dict[str, int]
    copied: dict[str, float]
    asked: int


def make(request: Request, corpus: Corpus, rows: Sequence[int], context: Context, tell: Tell) -> TestSet:
    """Makes the queries and grades their pools.

    Args:
        request: the settings.
        corpus: all documents.
        rows: of the documents to ask about, from `sample`.
        context: seed, cache, device, progress.
        tell: called with what is done next.

    Raises:
        DatasetError: no query is left; says why.
        HarnessError: a generator, a row or the judge fails. What was made is cached.
    """
    drops = Drops()
    candidates, copied = _candidates(request, corpus, rows, context, drops)
    tell(f"{len(candidates):,} queries to search with {', '.join(map(str, request.rows(len(corpus))))}")
    texts = Queries([str(place) for place in range(len(candidates))], [each.text for each in candidates])
    pool = pooled(request.rows(len(corpus)), corpus, texts, 1 + max(request.depth, request.within), context)
    places = _found(request, candidates, pool, drops)
    place_of = {id(candidates[place]): place for place in places}
    ordered = one_part_each(one_each([candidates[place] for place in places], len(places)))
    # The document of a query that is a part of it is left out; that of another query is judged as well.
    rows_of = [(-1, each.row) if each.is_part else (each.row, -1) for each in ordered]
    queue = [
        (each, pool.candidates(place_of[id(each)], request.depth, *own))
        for each, own in zip(ordered, rows_of, strict=True)
    ]
    kept = graded(request, queue, corpus, known_pairs(corpus, rows[:KNOWN], context), context, tell)
    drops.counts.update({why: count for why, count in kept.dropped.items() if count})
    if not kept.queries:
        reasons = ", ".join(f"{count} {why}" for why, count in sorted(drops.counts.items()))
        raise DatasetError(
            f"no query is left ({reasons}). Are the documents of the corpus different from each other, in a language "
            "that the judge knows, and is the column of the text the right one?"
        )
    return TestSet(
        tuple(kept.queries),
        tuple(kept.pairs),
        kept.grades,
        dict(sorted(drops.counts.items())),
        copied,
        len(rows),
    )


def rows_asked(request: Request, corpus: Corpus, context: Context) -> list[int]:
    """The documents that are asked about, and that the judge takes its scale from.

    Raises:
        DatasetError: the corpus is too small, or has no text.
    """
    if len(corpus) < LEAST:
        count = "1 document" if len(corpus) == 1 else f"{len(corpus)} documents"
        raise DatasetError(
            f"the corpus has {count}; a test set needs at least {LEAST}, since rows are compared by "
            "what they find among many. Long files are cut into chunks; --words sets how long."
        )
    return sample(corpus, max(request.documents, KNOWN), request.encoding(len(corpus)), context)


def _candidates(
    request: Request, corpus: Corpus, rows: Sequence[int], context: Context, drops: Drops
) -> tuple[list[Made], dict[str, float]]:
    """The queries to search, at most `SEARCHED` for each wanted one, and the shares of copied words."""
    if request.log is not None:
        queries, copies = without_copies(from_log(request.log, SEARCHED * request.queries, context))
        drops.add("near copies", copies)
        return queries, {}
    every = made(request.generators, corpus, rows[: request.documents], context)
    some = one_each(every, 2 * SEARCHED * request.queries)
    different, copies = without_copies(some)
    drops.add("near copies", copies)
    kept, leaks, copied = without_leaks(different, corpus, request.copied)
    drops.add("copy their document's words", leaks)
    return one_each(kept, SEARCHED * request.queries), copied


def _found(request: Request, candidates: Sequence[Made], pool: Pool, drops: Drops) -> list[int]:
    """Places of the queries whose document is found again."""
    ranks = [pool.ranks(place, each.row) for place, each in enumerate(candidates)]
    found = [place for place, each in enumerate(candidates) if found_again(each, ranks[place], request.within)]
    drops.add("not found again", len(candidates) - len(found))
    return found
