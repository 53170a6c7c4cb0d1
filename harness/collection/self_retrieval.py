"""Queries that are documents: the one place that decides which rankings leave out the query's own document.

Where a query id is also a document id, one of two things is true. Either the query is that document (ArguAna asks with
an argument of its own corpus), and finding it is no achievement: it is removed before the ranking is cut. Or two files
merely count from 1 (Cranfield), and removing it would hide an answer. The rule:

- `beir/arguana` and `beir/quora`: every coinciding id is removed, as Anserini's `-removeQuery` and BEIR's
  `ignore_identical_ids` do for them;
- where the library that a collection comes from has a rule for it (MTEB's `ignore_identical_ids`): by that;
- anywhere else: removed where the query's text is the document's text, or its title and text joined, apart from white
  space and case; kept otherwise, and a note says so.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from harness.data.corpus import Corpus
from harness.data.documents import Document, joined
from harness.data.queries import Queries

Ints = npt.NDArray[np.int64]
AT_ONCE = 1024
ALWAYS = frozenset({"beir/arguana", "beir/quora"})


def self_retrieval(
    collection: str, queries: Queries, corpus: Corpus, always: bool | None = None
) -> tuple[frozenset[str], tuple[str, ...]]:
    """Which queries are removed from their own ranking, and the notes that tell a reader of the results.

    Args:
        collection: name without the split, as `beir/arguana`.
        queries: the queries to be ranked for.
        corpus: the documents.
        always: True and False remove every coinciding id and none; None looks at the texts.

    Returns:
        The query ids for `Labelled.drop_self`, and zero to two notes.
    """
    rows = corpus.rows(queries.ids)
    there = np.flatnonzero(rows >= 0)
    own = _same_text(collection, queries, corpus, rows, there) if always is None else there if always else there[:0]
    dropped, kept = {queries.ids[place] for place in own.tolist()}, len(there) - len(own)
    notes = []
    if dropped:
        notes.append(f"{len(dropped)} queries are also documents: each is left out of its own ranking")
    if kept:
        other = " with another text" if always is None else ""
        notes.append(f"{kept} query ids are also document ids{other}: kept")
    return frozenset(dropped), tuple(notes)


def _same_text(collection: str, queries: Queries, corpus: Corpus, rows: Ints, there: Ints) -> Ints:
    """Which of the places in `there` hold a query that is, by its text, the document of the same id."""
    if collection in ALWAYS:
        return there
    found = []
    # Training queries may coincide with documents by the hundred thousand, if both count from 1: texts are read in
    # blocks.
    for start in range(0, len(there), AT_ONCE):
        places = there[start : start + AT_ONCE]
        for place, whole in zip(places.tolist(), corpus.texts_of(rows[places])[:], strict=True):
            if normal_text(whole).endswith(normal_text(queries.texts[place])):
                found += [place] if is_self(collection, queries.texts[place], corpus[int(rows[place])]) else []
    return np.array(found, dtype=np.int64)


def is_self(collection: str, query: str, document: Document) -> bool:
    """Whether the document that has the query's id is the query itself, by the rule above.

    Args:
        collection: name without the split.
        query: the query's text.
        document: the document of the same id.
    """
    if collection in ALWAYS:
        return True
    return normal_text(query) in (normal_text(document.text), normal_text(joined(document.title, document.text)))


def normal_text(text: str) -> str:
    """A text without differences of white space and case."""
    return " ".join(text.split()).casefold()
