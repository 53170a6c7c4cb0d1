"""Queries that are documents: the one place that decides which rankings leave out the query's own document.

Where a query id is also a document id, one of two things is true. Either the query is that document (ArguAna asks with an
argument of its own corpus), and finding it is no achievement: it is removed before the ranking is cut. Or two files merely
count from 1 (Cranfield), and removing it would hide an answer. The rule:

- `beir/arguana` and `beir/quora`: every coinciding id is removed, as Anserini's `-removeQuery` and BEIR's
  `ignore_identical_ids` do for them;
- anywhere else: removed where the query's text is the document's text, or its title and text joined, apart from white space
  and case; kept otherwise, and a note says so.
"""

from __future__ import annotations

from harness.corpus import Corpus, joined
from harness.judged import Queries

ALWAYS = frozenset({"beir/arguana", "beir/quora"})


def self_retrieval(collection: str, queries: Queries, corpus: Corpus) -> tuple[frozenset[str], tuple[str, ...]]:
    """Which queries are removed from their own ranking, and the notes that tell a reader of the results.

    Args:
        collection: name without the split, as `beir/arguana`.
        queries: the queries to be ranked for.
        corpus: the documents.

    Returns:
        The query ids for `Dataset.drop_self`, and zero to two notes.
    """
    rows = corpus.rows(queries.ids)
    dropped, kept = set(), 0
    for query, text, row in zip(queries.ids, queries.texts, rows, strict=True):
        if row < 0:
            continue
        if collection in ALWAYS or _same(text, corpus, int(row)):
            dropped.add(query)
        else:
            kept += 1
    notes = []
    if dropped:
        notes.append(f"{len(dropped)} queries are also documents: each is left out of its own ranking")
    if kept:
        notes.append(f"{kept} query ids are also document ids with another text: kept")
    return frozenset(dropped), tuple(notes)


def normal_text(text: str) -> str:
    """A text without differences of white space and case."""
    return " ".join(text.split()).casefold()


def _same(text: str, corpus: Corpus, row: int) -> bool:
    document = corpus[row]
    return normal_text(text) in (normal_text(document.text), normal_text(joined(document.title, document.text)))
