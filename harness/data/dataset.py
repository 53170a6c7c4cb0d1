"""A judged collection, and the part of it that training and tuning may see."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

from harness.data.corpus import Corpus
from harness.data.queries import Labelled, content_hash


@dataclass(frozen=True)
class TrainView:
    """What training and tuning may see: the corpus, and the train and dev splits if the collection has them.

    It has no test query and no test judgement, so a method cannot reach them.

    Args:
        corpus: the documents.
        train: labelled training queries, or None.
        dev: labelled queries for choosing settings, or None; cut from train by a fixed rule if the collection has no
            dev split (`harness.collection.dev`), never from test.
        notes: on how dev was cut, for a reader of the results.
    """

    corpus: Corpus
    train: Labelled | None = None
    dev: Labelled | None = None
    notes: tuple[str, ...] = ()

    @cached_property
    def revision(self) -> str:
        """Content hash of everything in the view."""
        parts = [self.corpus.revision] + [s.revision if s else "" for s in (self.train, self.dev)]
        return content_hash(parts)


@dataclass(frozen=True)
class Dataset:
    """A judged collection, one split of it to report on.

    Args:
        name: full name with the split, as `beir/scifact/test`.
        corpus: the documents.
        test: the queries of the split with their judgements, the only ones a leaderboard reports.
        load_train: returns the `TrainView`; called once, when it is first needed.
        notes: what a reader of the results should know about the data.
        licence: of the collection, if known.
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
        return content_hash([self.corpus.revision, self.test.judged_revision, sorted(self.drop_self)])

    @cached_property
    def unreachable(self) -> int:
        """Judgements above 0 whose document is not in the corpus: they stay in the qrels and limit recall."""
        relevant = [d for grades in self.test.qrels.values() for d, grade in grades.items() if grade > 0]
        return int((self.corpus.rows(relevant) < 0).sum()) if relevant else 0
