"""Queries that are documents: which rankings leave out the document that is the query itself.

If a query id is also a document id, either the query is that document (a query of ArguAna is an argument of its
corpus), and retrieving it means nothing: it is removed before the ranking is cut. Or both files merely count from 1
(Cranfield), and removing the document would remove a result. The rule:

- `beir/arguana` and `beir/quora`: every coinciding id is removed, as Anserini's `-removeQuery` and BEIR's
  `ignore_identical_ids` do for them;
- a collection from a library with a rule of its own (MTEB's `ignore_identical_ids`): that rule;
- a made test set whose queries are parts of documents, as its manifest says: every coinciding id is removed;
- a copy of a collection, as `harness export beir` makes: as its manifest says, by the rule of the original;
- any other: removed if the query's text is the document's text, or its title and text joined, apart from white space
  and case; otherwise it stays, and a note says so.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import numpy.typing as npt

from harness.base.files import there
from harness.data.corpus import Corpus
from harness.data.documents import Document, joined
from harness.data.queries import Queries

Ints = npt.NDArray[np.int64]
AT_ONCE = 1024
ALWAYS = frozenset({"beir/arguana", "beir/quora"})
MANIFEST = "manifest.json"
"""Of a made test set (`harness.testset.write`), or of a copy (`harness.collection.copied_rule`)."""
PARTS = "parts_of_documents"
"""In the manifest, under `queries`: whether queries have the ids of the documents that they are parts of."""
LEFT_OUT = "own_documents_left_out"
"""In the manifest of a copy, under `queries`: whether a query's ranking leaves out the document with the query's id."""


def self_retrieval(
    collection: str, queries: Queries, corpus: Corpus, always: bool | None = None
) -> tuple[frozenset[str], tuple[str, ...]]:
    """Which queries are removed from their own ranking, and notes on them for a reader of the results.

    Args:
        collection: name without the split, as `beir/arguana`.
        queries: the queries of the split.
        corpus: the documents.
        always: True removes every coinciding id, False none; None compares the texts.

    Returns:
        The query ids for `Labelled.drop_self`, and zero to two notes.
    """
    rows = corpus.rows(queries.ids)
    coinciding = np.flatnonzero(rows >= 0)
    if always is None:
        own = _same_text(collection, queries, corpus, rows, coinciding)
    else:
        own = coinciding if always else coinciding[:0]
    dropped, others = {queries.ids[place] for place in own.tolist()}, len(coinciding) - len(own)
    notes = []
    if dropped:
        notes.append(f"{len(dropped)} queries are also documents: each is left out of its own ranking")
    if others:
        detail = " with another text" if always is None else ""
        notes.append(f"{others} query ids are also document ids{detail}: these documents stay in the rankings")
    return frozenset(dropped), tuple(notes)


def declared(folder: Path) -> bool | None:
    """What the manifest of a collection says: True if every coinciding id is removed, as of a made test set whose
    queries are parts of documents; False if none is; None if it says nothing.
    """
    path = folder / MANIFEST
    if not there(path.is_file):
        return None
    try:
        queries = json.loads(path.read_text(encoding="utf-8"))["queries"]
        if isinstance(queries.get(LEFT_OUT), bool):
            return bool(queries[LEFT_OUT])
        return True if queries.get(PARTS) is True else None
    except (ValueError, KeyError, TypeError, AttributeError, OSError):  # of another tool
        return None


def _same_text(collection: str, queries: Queries, corpus: Corpus, rows: Ints, coinciding: Ints) -> Ints:
    """The queries, by their place, whose text is that of the document with the same id."""
    if collection in ALWAYS:
        return coinciding
    same = []
    # Hundreds of thousands of training queries may coincide with documents if both count from 1: read texts in blocks.
    for start in range(0, len(coinciding), AT_ONCE):
        places = coinciding[start : start + AT_ONCE]
        for place, whole in zip(places.tolist(), corpus.texts_of(rows[places])[:], strict=True):
            query = queries.texts[place]
            # The end of the joined text is compared first, since reading one document is slow.
            if normal_text(whole).endswith(normal_text(query)) and is_self(collection, query, corpus[int(rows[place])]):
                same.append(place)
    return np.array(same, dtype=np.int64)


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
