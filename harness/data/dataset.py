"""A judged collection, and the part of it that training and tuning may see."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from importlib import import_module
from typing import Any, cast

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
        notes: on how dev was cut and folds were made, for a reader of the results.
        folds: if each reported query has a view of its own: then `train` and `dev` are None, and
            `harness.methods.fit` fits once for each fold.
        fold: the number of the fold that this is the view of, from 0; None if there are no folds.
    """

    corpus: Corpus
    train: Labelled | None = None
    dev: Labelled | None = None
    notes: tuple[str, ...] = ()
    folds: Folds | None = None
    fold: int | None = None

    @cached_property
    def revision(self) -> str:
        """Content hash of everything in the view."""
        parts: list[object] = [self.corpus.revision, *(s.revision if s else "" for s in (self.train, self.dev))]
        if self.folds is not None:
            parts += [[sorted(fold.queries), fold.view.revision] for fold in self.folds.parts]
        return content_hash(parts)

    @property
    def views(self) -> tuple[TrainView, ...]:
        """The views that methods are fitted on: that of each fold, or this one."""
        return tuple(fold.view for fold in self.folds.parts) if self.folds else (self,)

    @property
    def shared(self) -> TrainView:
        """What all folds have in common: of the view of a fold, the documents; any other view as it is.

        For choices that are no part of learning, such as an engine, so that all folds make the same one.
        """
        return self if self.fold is None else TrainView(self.corpus)

    @property
    def labelled(self) -> bool:
        """Whether there are train or dev queries."""
        return any(split is not None for view in self.views for split in (view.train, view.dev))


@dataclass(frozen=True)
class Fold:
    """Some of the reported queries, and what a method that ranks them may see.

    Args:
        queries: their ids.
        view: made of the queries of the other folds.
    """

    queries: frozenset[str]
    view: TrainView


@dataclass(frozen=True)
class Folds:
    """All reported queries in folds.

    Args:
        parts: the folds; each reported query is in one.
        by: `documents` if no two folds share a relevant document, or `queries`.
        groups: the number of groups of queries that stay together.
    """

    parts: tuple[Fold, ...]
    by: str
    groups: int

    def describe(self) -> dict[str, Any]:
        """JSON-safe, for records: number of folds, what they are made of, groups, queries of each fold and of its
        view.
        """
        views = [fold.view for fold in self.parts]
        return {
            "folds": len(self.parts),
            "by": self.by,
            "groups": self.groups,
            "queries": [len(fold.queries) for fold in self.parts],
            "train": [len(view.train.queries) if view.train else 0 for view in views],
            "dev": [len(view.dev.queries) if view.dev else 0 for view in views],
        }


@dataclass(frozen=True, repr=False)
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

    @classmethod
    def of(
        cls,
        corpus: object,
        queries: object,
        qrels: object,
        *,
        train: object = None,
        dev: object = None,
        name: str = "mine",
        context: Any = None,
    ) -> Dataset:
        """A collection from objects, kept in the cache: `run("bm25", dataset=Dataset.of(…))`.

        Args:
            corpus: id → text, (title, text) or a table with `title` and `text`; or a DataFrame with these and an id.
            queries: id → text, of all splits; or a DataFrame.
            qrels: query id → document id → grade, or → document ids, which are relevant; or a DataFrame. Of the split
                test.
            train: judgements for training, in the same form.
            dev: judgements for choosing settings.
            name: of the collection, `objects/<name>`; one of that name with other content is replaced.
            context: with the cache; None takes the user's.

        Raises:
            DatasetError: what is wrong with them.
            SettingError: a name that no folder can have.
        """
        splits = {"test": qrels, "train": train, "dev": dev}
        judged = {split: each for split, each in splits.items() if each is not None}
        # Looked up by its name, as items of rooms are: the rules for collections are in a later room.
        made = import_module("harness.datasets.objects").dataset_of_objects(corpus, queries, judged, name, context)
        return cast("Dataset", made)

    def __repr__(self) -> str:
        return f"<Dataset {self.name}: {len(self.corpus):,} documents, {len(self.test.queries):,} queries>"

    @cached_property
    def train(self) -> TrainView:
        """The part of the collection that training and tuning may see."""
        return self.load_train()

    @property
    def parts(self) -> tuple[Dataset, ...]:
        """The dataset itself; with folds, one dataset for each, which reports on its queries.

        What is true of the training data and of the reported queries has to be asked of each part.
        """
        folds = self.train.folds
        return (self,) if folds is None else tuple(map(self._of_fold, folds.parts))

    def _of_fold(self, fold: Fold) -> Dataset:
        test = self.test.only([query for query in self.test.queries.ids if query in fold.queries])
        return dataclasses.replace(self, test=test, load_train=lambda: fold.view)

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
