"""Which made queries are dropped, and why: near copies, copied words, not found again, answered by too many."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from harness.analyzers.english import English
from harness.data.corpus import Corpus
from harness.data.ranking import Ints
from harness.leaks.overlap import alike
from harness.testset.queries import Made

COPY = 0.8
"""Overlap of character 5-grams from which two queries, or documents, are near copies."""
SHORT = 4
"""Queries with fewer content words cannot avoid the words of a document."""


def without_copies(queries: Sequence[Made]) -> tuple[list[Made], int]:
    """The queries without near copies of earlier ones, and how many were dropped."""
    texts = [query.text for query in queries]
    dropped: set[int] = set()
    for overlap in alike(texts, texts, COPY):
        if overlap.there < overlap.here and overlap.there not in dropped:
            dropped.add(overlap.here)
    return [query for place, query in enumerate(queries) if place not in dropped], len(dropped)


def of_copied_documents(queries: Sequence[Made], pairs: Sequence[Ints], corpus: Corpus) -> int:
    """How many queries are parts of a document of which their pool has a near copy, other than the document itself.

    Args:
        queries: made from documents, or real ones, which do not count.
        pairs: the pool of each.
        corpus: all documents.
    """
    parts = [(query.row, pool) for query, pool in zip(queries, pairs, strict=True) if query.is_part]
    pooled = np.unique(np.concatenate([*(pool for _, pool in parts), np.zeros(0, np.int64)]))
    sources = corpus.texts_of(np.array([row for row, _ in parts], np.int64))[:]
    found = alike(sources, corpus.texts_of(pooled)[:], COPY)
    copies = [(overlap.here, int(pooled[overlap.there])) for overlap in found]
    return len({place for place, row in copies if row in parts[place][1] and row != parts[place][0]})


def copied(query: Made, document: str) -> float:
    """Share of a query's distinct content words that its document has too; 0 for a real query or one without any."""
    if query.row < 0:
        return 0.0
    analyze = English()
    words, own = set(analyze(query.text)), set(analyze(document))
    return len(words & own) / len(words) if words else 0.0


def without_leaks(
    queries: Sequence[Made], corpus: Corpus, most: float
) -> tuple[list[Made], int, dict[str, float]]:
    """The queries whose words are not all taken from their document.

    Queries that the generator `extractive` made consist of the document's words by construction; they stay, and their
    share is reported with the others.

    Args:
        queries: to look at.
        corpus: of their documents.
        most: share of copied content words that is still allowed.

    Returns:
        The queries that stay, how many were dropped, and kind → mean share of copied words of those that stay.
    """
    kept: list[Made] = []
    shares: dict[str, list[float]] = {}
    for query in queries:
        share = copied(query, corpus.texts[query.row]) if query.row >= 0 else 0.0
        long = len(query.text.split()) >= SHORT
        if share > most and long and not query.generator.startswith("extractive"):
            continue
        kept.append(query)
        if query.row >= 0:
            shares.setdefault(query.kind, []).append(share)
    means = {kind: round(sum(own) / len(own), 4) for kind, own in sorted(shares.items())}
    return kept, len(queries) - len(kept), means


def found_again(query: Made, ranks: Sequence[int | None], within: int) -> bool:
    """Whether any row ranks the document that a query was made from within so many; real queries have none.

    Args:
        query: made from a document.
        ranks: of its document in each row's ranking, 1 for the first; None if it is not there.
        within: the greatest rank.
    """
    return query.row < 0 or any(rank is not None and rank <= within for rank in ranks)
