"""Learning to rank: ltr(methods=(bm25, dense)) learns from the training queries how to combine rows."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Final, Literal

import numpy as np
from annotated_types import Ge

from harness.base.errors import SettingError
from harness.base.optional import library
from harness.choices.bounds import Count, Positive
from harness.data.corpus import Corpus
from harness.data.dataset import TrainView
from harness.data.queries import Queries
from harness.data.ranking import Floats, Ints, TopK, select, stack
from harness.endpoints.journal import digest
from harness.fusions.rrf import RRF
from harness.methods import NO_LABELS, TRAIN_LABELS, Fitted, HostedEncoding, Method, Searcher, Size, fit, index, search
from harness.methods._ltr_features import KINDS, Candidates, features
from harness.methods._ltr_learners import Learning, Linear, Ranker
from harness.methods._ltr_training import CHOSEN_BY, Learnt, learnt
from harness.methods._parts import FittedParts, resolved_part
from harness.methods.bm25 import BM25
from harness.methods.dense import Dense
from harness.runtime.context import Context

TOP: Final = 3
"""The features that a note names."""
AT_ONCE: Final = 1024
"""Queries whose features are in memory at the same time."""


@dataclass(frozen=True)
class LTR(Method):
    """Ranks the candidates of several rows by a model over their scores, ranks and presence in each ranking.

    It learns from the training and dev queries. If a row learns too, it is fitted once more for each of `folds` folds
    of these queries, so that what is learnt here comes from rankings of queries that the row has not seen. The folds
    share no relevant document (if the queries can be cut so), and choose the number of trees. The record has the
    importance of each feature. Without labelled queries the rankings are fused by RRF, with a note; with `--folds`
    every query is ranked by a model that saw none of its documents.

    Args:
        methods: the rows.
        learner: `lambdamart` (LightGBM: `pip install "retrieval-harness[ltr]"`) or `linear` (pairwise logistic
            regression).
        depth: how many documents of each row are candidates; nothing else is ranked.
        folds: of the training queries.
        queries: how many of them the model learns from, at most; the run's seed draws them.
        trees: of LambdaMART, at most.
        leaves: of each tree.
        rate: learning rate of LambdaMART.
    """

    methods: tuple[Method, ...] = field(default_factory=lambda: (BM25(), Dense()))
    learner: Literal["lambdamart", "linear"] = "lambdamart"
    depth: Count = 100
    folds: Annotated[int, Ge(2)] = 5
    queries: Count = 2000
    trees: Count = 200
    leaves: Annotated[int, Ge(2)] = 8
    rate: Positive = 0.05

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.methods:
            raise SettingError("ltr: methods must name one row or more, as ltr(methods=(bm25, dense))")

    @property
    def learning(self) -> Learning:
        """How LambdaMART learns."""
        return Learning(self.trees, self.leaves, self.rate)

    def inputs(self, context: Context) -> dict[str, str]:
        """See `Method.inputs`: also the version of LightGBM."""
        own = {"lightgbm": str(library("lightgbm", "ltr").__version__)} if self.learner == "lambdamart" else {}
        return {**super().inputs(context), **own}

    def reach(self, depth: int) -> int:
        """See `Method.reach`; nothing but the candidates is ranked."""
        return min(depth, self.depth)

    def depth_of(self, part: Method, depth: int) -> int:
        """See `Method.depth_of`."""
        return self.depth

    def hosted_encodings(self, context: Context) -> Iterator[HostedEncoding]:
        """See `Method.hosted_encodings`; the dev queries are encoded too."""
        for encoding in super().hosted_encodings(context):
            yield dataclasses.replace(encoding, dev=True)

    def fit(self, view: TrainView, context: Context) -> Fitted:
        """Fits the rows and learns to combine them.

        Raises:
            Unavailable: LightGBM is not installed.
        """
        if self.learner == "lambdamart":
            library("lightgbm", "ltr")
        fitted = [fit(method, view, context) for method in self.methods]
        return _Fitted(self, fitted, learnt(self, fitted, view, context))

    def names(self) -> list[str]:
        """Of the features, in the order of their columns."""
        return [f"{method} {kind}" for method in self.methods for kind in KINDS]


class _Fitted(FittedParts):
    def __init__(self, method: LTR, parts: Sequence[Fitted], learnt: Learnt) -> None:
        self.method, self.parts, self.ranker = method, parts, learnt.ranker
        resolved: dict[str, Any] = {"methods": list(map(resolved_part, method.methods, parts)), "depth": method.depth}
        notes = learnt.notes
        if learnt.ranker is None:
            resolved["learner"] = RRF().name()
        else:
            shares = dict(zip(method.names(), learnt.ranker.importances.tolist(), strict=True))
            ordered = sorted(shares, key=lambda name: -shares[name])
            resolved |= {
                "learner": method.learner,
                "queries": learnt.queries,
                "folds_by": learnt.by,
                "held_out": {CHOSEN_BY: round(learnt.held_out or 0.0, 5)},
                "importances": {name: round(shares[name], 4) for name in ordered},
            }
            if learnt.trees is not None:
                resolved["trees"] = learnt.trees
            if isinstance(learnt.ranker, Linear):
                weights = learnt.ranker.weights.tolist()
                resolved["weights"] = {name: round(w, 4) for name, w in zip(method.names(), weights, strict=True)}
            most = ", ".join(f"{name} {shares[name]:.0%}" for name in ordered[:TOP])
            notes = (f"{method.learner} of {learnt.queries:,} queries; most important: {most}", *notes)
        taught = [learnt.revision, learnt.trees, learnt.by] if learnt.ranker else []
        key = f"ltr-{digest(method.full(), [part.key for part in parts], taught)}"
        super().__init__(key, resolved, parts, TRAIN_LABELS if learnt.ranker else NO_LABELS)
        self.notes = (*notes, *self.notes)

    def index(self, corpus: Corpus, context: Context) -> Searcher:
        pairs = zip(self.method.methods, self.parts, strict=True)
        return _Searcher(self, [index(method, part, corpus, context) for method, part in pairs], corpus, context)


class _Searcher(Searcher):
    def __init__(self, fitted: _Fitted, parts: Sequence[Searcher], corpus: Corpus, context: Context) -> None:
        self.key = f"{fitted.key}-{corpus.revision}"
        self.size = sum((part.size for part in parts), Size())
        self.live = all(part.live for part in parts)
        self._method, self._ranker, self._parts = fitted.method, fitted.ranker, parts
        self._corpus, self._context = corpus, context

    def search(self, queries: Queries, k: int) -> TopK:
        pairs = zip(self._method.methods, self._parts, strict=True)
        tops = [search(row, part, queries, self._method.depth, self._context) for row, part in pairs]
        if self._ranker is None:
            return RRF().fuse(tops, self._corpus.id_order, k)
        rankings: list[tuple[Ints, Floats]] = []
        for start in range(0, len(queries), AT_ONCE):
            block = [TopK(top.indices[start : start + AT_ONCE], top.scores[start : start + AT_ONCE]) for top in tops]
            rankings += self._ranked(list(features(block)), self._ranker, k)
        return stack(rankings, k)

    def _ranked(self, candidates: list[Candidates], ranker: Ranker, k: int) -> list[tuple[Ints, Floats]]:
        values = np.concatenate([each.values for each in candidates])
        scores = ranker.scores(values).astype(np.float32) if len(values) else np.zeros(0, np.float32)
        ends = np.cumsum([len(each.rows) for each in candidates])[:-1]
        parts = np.split(scores, ends)
        return [select(c.rows, s, self._corpus.id_order, k) for c, s in zip(candidates, parts, strict=True)]

    def notes(self, queries: Queries) -> tuple[str, ...]:
        """See `Searcher.notes`."""
        return tuple(note for part in self._parts for note in part.notes(queries))
