"""Any row that scores a query with a document: dense, cross_encoder and others; its scores are cut into grades."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from harness.base.errors import SettingError
from harness.choices.bounds import Count
from harness.data.corpus import Corpus
from harness.data.dataset import TrainView
from harness.data.ranking import Floats, Ints
from harness.judges import Grades, Judge, Pairs
from harness.judges._models import Place
from harness.judges._models import models_of as models_of
from harness.methods import CandidateScorer, Method, Reranks, fit
from harness.methods.dense import Dense
from harness.runtime.context import Context


@dataclass(frozen=True)
class Row(Judge):
    """Grades by the score of a row.

    A score has no scale of its own. It is taken from the corpus: 0 is the mean score of a query with documents drawn at
    random, 1 the median score of a query with a document that is known to answer it. Both are of queries made from
    documents. A grade is given from its place on this scale up.

    Args:
        method: the row; its score of a pair must not depend on other pairs.
        third, second, first: places from which the grades 3, 2 and 1 are given.
        random: documents drawn for each known query.
    """

    method: Method = field(default_factory=Dense)
    third: Place = 0.9
    second: Place = 0.75
    first: Place = 0.6
    random: Count = 5

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.first <= self.second <= self.third:
            raise SettingError("row: first must be at most second, and second at most third")

    def label(self) -> str:
        """The row's own expression if no other setting differs, as `harness.rows.parse_judge` reads it."""
        return str(self.method) if self == type(self)(self.method) else str(self)

    def grade(self, corpus: Corpus, pairs: Pairs, known: Pairs, context: Context) -> Grades:
        """See `Judge.grade`.

        Raises:
            SettingError: the row scores no pairs, or only together.
        """
        scorer = self._scorer(corpus, context)
        zero, one = self._scale(scorer, corpus, known, context)
        cuts = np.array([zero + place * (one - zero) for place in (self.first, self.second, self.third)])
        scores = scorer.scores(pairs.texts, pairs.candidates)
        values = [np.searchsorted(cuts, each.astype(np.float64), side="right").astype(np.int8) for each in scores]
        scale = {"random": round(zero, 6), "known": round(one, 6), "cuts": [round(cut, 6) for cut in cuts.tolist()]}
        return Grades(values, {"scale": scale})

    def check(self, corpus: Corpus, context: Context) -> None:
        """See `Judge.check`."""
        self._scorer(corpus, context)

    def models(self) -> frozenset[str]:
        """See `Judge.models`."""
        return models_of(self.method)

    def _scorer(self, corpus: Corpus, context: Context) -> CandidateScorer:
        fitted = fit(self.method, TrainView(corpus), context)
        if not isinstance(fitted, Reranks):
            raise SettingError(
                f"{self.method} scores no pairs of query and document, so it cannot judge; name dense, cross_encoder "
                "or another re-ranker."
            )
        scorer = fitted.candidate_scorer(corpus, context)
        if not scorer.independent:
            raise SettingError(
                f"the scores of {self.method} depend on the other candidates, so it cannot judge; the judge chat asks "
                "a model about each document by itself."
            )
        return scorer

    def _scale(self, scorer: CandidateScorer, corpus: Corpus, known: Pairs, context: Context) -> tuple[float, float]:
        """Mean score of random documents, median score of known ones."""
        if not len(known):
            raise SettingError("row: there is no document with a sentence to make a scale from; use the judge chat.")
        rng = context.rng("judge row: random documents")
        drawn: list[Ints] = [
            np.unique(rng.integers(0, len(corpus), self.random)).astype(np.int64) for _ in known.texts
        ]
        random, right = (_flat(scorer.scores(known.texts, rows)) for rows in (drawn, known.candidates))
        zero, one = float(random.mean()), float(np.median(right))
        if one <= zero:
            raise SettingError(
                f"{self.method} scores random documents as high as those that answer the query, so it cannot judge "
                "this corpus; are its documents equal, or of a language that the model does not know?"
            )
        return zero, one


def _flat(scores: list[Floats]) -> Floats:
    return np.concatenate([*scores, np.zeros(0, np.float32)])
