"""Queries and their judgements."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from harness.base.errors import DatasetError

Qrels = Mapping[str, Mapping[str, int]]
"""Query id → document id → grade. Grades are kept; above 0 is relevant; absent and judged 0 are not the same."""


class Queries:
    """Q queries: ids unique, texts.

    Args:
        ids: unique.
        texts: of the same length.
        cached: whether vectors and scores of the texts may come from the cache; False to measure the latency that a
            user would see.
    """

    def __init__(self, ids: Sequence[str], texts: Sequence[str], *, cached: bool = True) -> None:
        if len(ids) != len(texts):
            raise DatasetError(f"{len(ids)} query ids but {len(texts)} texts")
        if len(set(ids)) != len(ids):
            seen: set[str] = set()
            repeated = next(i for i in ids if i in seen or seen.add(i))  # type: ignore[func-returns-value]
            raise DatasetError(f"query id {repeated!r} appears more than once; ids must be unique.")
        self.ids = list(ids)
        self.texts = list(texts)
        self.cached = cached

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def revision(self) -> str:
        """Content hash of ids and texts in order."""
        return content_hash([self.ids, self.texts])

    def only(self, ids: Sequence[str]) -> Queries:
        """The queries of the given ids, in the order they have here."""
        wanted = set(ids)
        pairs = [(i, t) for i, t in zip(self.ids, self.texts, strict=True) if i in wanted]
        return Queries([i for i, _ in pairs], [t for _, t in pairs], cached=self.cached)


@dataclass(frozen=True)
class Labelled:
    """Queries with their judgements: one split. Every query here has at least one judgement.

    A ranking for a split (test, train or dev) is searched `search_depth(k)` deep and scored after
    `harness.data.ranking.Run.of_split`, so that settings are chosen by the same rule that they are tested by.

    Args:
        queries: Q queries.
        qrels: their judgements.
        drop_self: ids of the queries that are themselves documents; the document of the same id is removed from such a
            query's ranking before it is cut. The rule is in `harness.collection.self_retrieval`.
    """

    queries: Queries
    qrels: Qrels
    drop_self: frozenset[str] = frozenset()

    @cached_property
    def revision(self) -> str:
        """Content hash of queries, judgements and of which queries are documents."""
        return content_hash([*self._judged(), *([sorted(self.drop_self)] if self.drop_self else [])])

    @cached_property
    def judged_revision(self) -> str:
        """Content hash of queries and judgements only."""
        return content_hash(self._judged())

    def _judged(self) -> list[object]:
        return [
            self.queries.revision,
            [[q, d, g] for q in sorted(self.qrels) for d, g in sorted(self.qrels[q].items())],
        ]

    def search_depth(self, k: int) -> int:
        """Depth of a search for a ranking of k documents: one deeper if a query's own document may be removed."""
        return k + 1 if self.drop_self else k

    def only(self, ids: Sequence[str]) -> Labelled:
        """The queries of the given ids with their judgements, in the order they have here."""
        queries = self.queries.only(ids)
        return Labelled(queries, {q: self.qrels[q] for q in queries.ids}, self.drop_self & set(queries.ids))


def content_hash(value: object) -> str:
    """32 hexadecimal digits over a JSON-safe value."""
    return hashlib.sha256(json.dumps(value, ensure_ascii=True, separators=(",", ":")).encode()).hexdigest()[:32]
