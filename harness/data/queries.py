"""Queries, judgements and the dataset that holds them; `TrainView` is all that training and tuning may see."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from harness.base.errors import DatasetError
from harness.data.corpus import Corpus

Qrels = Mapping[str, Mapping[str, int]]
"""Query id → document id → grade. Grades are kept; above 0 is relevant; absent and judged 0 are not the same."""


class Queries:
    """Q queries: ids unique, texts.

    Args:
        ids: unique.
        texts: of the same length.
        cached: whether what a model says of the texts may come from the cache; False where the latency is measured
            that a user would see.
    """

    def __init__(self, ids: Sequence[str], texts: Sequence[str], *, cached: bool = True) -> None:
        if len(ids) != len(texts):
            raise DatasetError(f"{len(ids)} query ids but {len(texts)} texts")
        if len(set(ids)) != len(ids):
            seen: set[str] = set()
            twice = next(i for i in ids if i in seen or seen.add(i))  # type: ignore[func-returns-value]
            raise DatasetError(f"query id {twice!r} appears more than once; ids must be unique.")
        self.ids = list(ids)
        self.texts = list(texts)
        self.cached = cached

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def revision(self) -> str:
        """Content hash of ids and texts in order."""
        return _digest([self.ids, self.texts])

    def only(self, ids: Sequence[str]) -> Queries:
        """The queries of the given ids, in the order they have here."""
        wanted = set(ids)
        kept = [(i, t) for i, t in zip(self.ids, self.texts, strict=True) if i in wanted]
        return Queries([i for i, _ in kept], [t for _, t in kept], cached=self.cached)


@dataclass(frozen=True)
class Labelled:
    """Queries with their judgements: one split. Every query here has at least one judgement.

    Whatever ranks documents for a split (test, train or dev) searches `search_depth(k)` deep and measures what
    `harness.data.ranking.Run.of_split` leaves, so that settings are chosen by the rule that they are tested by.

    Args:
        queries: Q queries.
        qrels: their judgements.
        drop_self: ids of the queries that are themselves documents; the document of the same id is removed from such a
            query's ranking before it is cut. The rule is in `harness.datasets._self`.
    """

    queries: Queries
    qrels: Qrels
    drop_self: frozenset[str] = frozenset()

    @cached_property
    def revision(self) -> str:
        """Content hash of queries, judgements and of which queries are documents."""
        return _digest([*self._judged(), *([sorted(self.drop_self)] if self.drop_self else [])])

    @cached_property
    def judged_revision(self) -> str:
        """Content hash of queries and judgements alone."""
        return _digest(self._judged())

    def _judged(self) -> list[object]:
        return [
            self.queries.revision,
            [[q, d, g] for q in sorted(self.qrels) for d, g in sorted(self.qrels[q].items())],
        ]

    def search_depth(self, k: int) -> int:
        """How deep to search for a ranking of k documents: one deeper if a query's own document may be removed from
        it.
        """
        return k + 1 if self.drop_self else k

    def only(self, ids: Sequence[str]) -> Labelled:
        """The queries of the given ids with their judgements, in the order they have here."""
        queries = self.queries.only(ids)
        return Labelled(queries, {q: self.qrels[q] for q in queries.ids}, self.drop_self & set(queries.ids))


@dataclass(frozen=True)
class TrainView:
    """What training and tuning may see: the corpus, and the train and dev splits where the collection has them.

    It holds no test query and no test judgement, so a method that is given one cannot reach them.

    Args:
        corpus: the documents.
        train: labelled training queries, or None.
        dev: labelled queries for choosing settings, or None; cut from train by a seeded rule where the collection has
            no dev split (`harness.datasets._splits`), never from test.
    """

    corpus: Corpus
    train: Labelled | None = None
    dev: Labelled | None = None

    @cached_property
    def revision(self) -> str:
        """Content hash of everything in the view."""
        parts = [self.corpus.revision] + [s.revision if s else "" for s in (self.train, self.dev)]
        return _digest(parts)


@dataclass(frozen=True)
class Dataset:
    """A judged collection, one split of it to report on.

    Args:
        name: full name with the split, as `beir/scifact/test`.
        corpus: the documents.
        test: the queries of the split with their judgements, the only ones a leaderboard reports.
        load_train: gives the `TrainView`; called once, when something asks for it.
        notes: what the loader wants a reader of the results to know.
        licence: of the collection, where known.
    """

    name: str
    corpus: Corpus
    test: Labelled
    load_train: Callable[[], TrainView]
    notes: tuple[str, ...] = field(default=())
    licence: str = ""

    @cached_property
    def train(self) -> TrainView:
        """The part of the collection that training and tuning may see."""
        return self.load_train()

    @property
    def drop_self(self) -> frozenset[str]:
        """Ids of the test queries that are themselves documents (`Labelled.drop_self`)."""
        return self.test.drop_self

    @cached_property
    def revision(self) -> str:
        """Content hash of corpus, queries, judgements and the identical-id policy; part of every record."""
        return _digest([self.corpus.revision, self.test.judged_revision, sorted(self.drop_self)])

    @cached_property
    def unreachable(self) -> int:
        """Judgements above 0 whose document is not in the corpus: they stay in the qrels and cap recall."""
        relevant = [d for grades in self.test.qrels.values() for d, grade in grades.items() if grade > 0]
        return int((self.corpus.rows(relevant) < 0).sum()) if relevant else 0


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, ensure_ascii=True, separators=(",", ":")).encode()).hexdigest()[:32]
