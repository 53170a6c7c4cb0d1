"""Groups of queries that ask about the same documents: what training may not share with dev or with a fold.

Queries and their relevant documents are a graph; a group is a connected component of it. Two queries whose texts are
near copies (`harness.leaks.overlap`) are connected too, and so is a query that is itself a document with that document.
Queries of two groups have no relevant document in common, so that a model that was trained on one group has not been
shown the answers of the other.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator

import numpy as np

from harness.data.queries import Labelled, Queries
from harness.leaks.overlap import kept_alike, normalised
from harness.runtime.context import Context

Groups = list[tuple[str, ...]]
"""Query ids in groups: each group sorted, the groups by the SHA-256 of their first id, so that neither the order of a
file nor a random seed has an effect.
"""
NEAR_MOST = 50_000
"""Queries up to which near copies are searched; among more, only copies of the normalised text are found: comparing
half a million queries with each other would take a quarter of an hour.
"""


def document_groups(split: Labelled, context: Context) -> Groups:
    """The groups of the queries of a split.

    Args:
        split: queries and judgements.
        context: its cache, where the pairs of near copies are kept.
    """
    return connected(split, copies(split.queries, context))


def query_groups(ids: Iterable[str]) -> Groups:
    """Every query as a group of its own."""
    return ordered((query,) for query in ids)


def connected(split: Labelled, pairs: Iterable[tuple[int, int]]) -> Groups:
    """The connected components of queries and relevant documents.

    Args:
        split: Q queries and their judgements.
        pairs: places of queries, 0 to Q − 1, that belong together.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    ids, documents = split.queries.ids, dict[str, int]()
    edges = list(pairs)
    for place, query in enumerate(ids):
        numbers = (documents.setdefault(document, len(documents)) for document in _documents(split, query))
        edges.extend((place, len(ids) + number) for number in numbers)
    size = len(ids) + len(documents)
    ends = np.array(edges, dtype=np.int64).reshape(-1, 2)
    graph = coo_array((np.ones(len(ends), dtype=np.int8), (ends[:, 0], ends[:, 1])), shape=(size, size))
    _, labels = connected_components(graph, directed=False)
    groups: dict[int, list[str]] = {}
    for query, label in zip(ids, labels.tolist(), strict=False):
        groups.setdefault(label, []).append(query)
    return ordered(groups.values())


def _documents(split: Labelled, query: str) -> Iterator[str]:
    """The relevant documents of a query, and the one that it is itself."""
    yield from (document for document, grade in split.qrels[query].items() if grade > 0)
    if query in split.drop_self:
        yield query


def copies(queries: Queries, context: Context) -> list[tuple[int, int]]:
    """Places of queries whose texts are near copies of each other; see `NEAR_MOST`."""
    if len(queries) <= NEAR_MOST:
        return [(o.here, o.there) for o in kept_alike(queries, queries.texts, context) if o.here < o.there]
    first: dict[str, int] = {}
    texts = enumerate(map(normalised, queries.texts))
    places = [(first.setdefault(text, place), place) for place, text in texts if text]
    return [(one, other) for one, other in places if one != other]


def ordered(groups: Iterable[Iterable[str]]) -> Groups:
    """The groups in their fixed order."""
    return sorted((tuple(sorted(group)) for group in groups), key=lambda group: digest(group[0]))


def digest(query: str) -> bytes:
    """SHA-256 of a query's id."""
    return hashlib.sha256(query.encode("utf-8", "surrogatepass")).digest()
