"""Silver pairs: queries with sampled documents and a teacher's scores of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from harness.data.dataset import TrainView
from harness.data.queries import Queries
from harness.data.ranking import Floats, Ints
from harness.leaks.history import Kind, TrainedQuery
from harness.runtime.context import Context
from harness.training.gold import Gold


@dataclass(frozen=True)
class Silver:
    """Pairs with the teacher's scores: per query its relevant documents first, then the sampled ones."""

    queries: Queries
    rows: Sequence[Ints]
    scores: Sequence[Floats]
    gold: Gold | None
    facts: dict[str, Any]
    notes: tuple[str, ...]

    def trained_queries(self, view: TrainView) -> list[TrainedQuery]:
        """Gold queries with their documents, and all with those that the teacher judged."""
        if self.gold is None:
            kind: Kind = "generated"
            queries = []
        else:
            kind = "silver"
            queries = self.gold.trained_queries(view)
        for number, (text, rows) in enumerate(zip(self.queries.texts, self.rows, strict=True)):
            judged = tuple(view.corpus.ids(rows[self.known(number) :]))
            queries.append(TrainedQuery(kind, text, judged))
        return queries

    def known(self, number: int) -> int:
        """How many relevant documents a query's rows begin with."""
        return _known(self.gold, number)

    def triples(self, own: Sequence[Floats]) -> tuple[list[tuple[int, int, int, float]], list[float]]:
        """Triples to learn margins from, and the student's margin of each.

        A triple is (number of a query, row of the better document, row of the worse, the teacher's margin).

        Args:
            own: the student's scores, as `scores`.
        """
        triples: list[tuple[int, int, int, float]] = []
        differences: list[float] = []
        for number, (rows, values) in enumerate(zip(self.rows, self.scores, strict=True)):
            known = self.known(number)
            for better in self._better(number):
                for worse in range(known, len(rows)):
                    if worse == better:
                        continue
                    margin = float(values[better] - values[worse])
                    if known:
                        margin = max(0.0, margin)  # a gold document is better even if the teacher disagrees
                    triples.append((number, int(rows[better]), int(rows[worse]), margin))
                    differences.append(float(own[number][better] - own[number][worse]))
        return triples, differences

    def _better(self, number: int) -> Sequence[int]:
        """Places of a query's relevant documents; if it has none, the place with the teacher's best score."""
        if self.known(number):
            return range(self.known(number))
        return [int(np.argmax(self.scores[number]))] if len(self.scores[number]) else []


def sampled_by_density(
    sampled: list[Ints], scores: list[Floats], gold: Gold | None, context: Context
) -> tuple[list[Ints], list[Floats]]:
    """Rows and scores of silver pairs drawn in proportion to the ratio of gold to silver density at their score.

    The densities are Gaussian kernel estimates. Gold pairs are all kept.
    """
    from scipy.stats import gaussian_kde

    known = [_known(gold, number) for number in range(len(sampled))]
    silver_scores = np.concatenate([own[count:] for own, count in zip(scores, known, strict=True)])
    gold_scores = np.concatenate([own[:count] for own, count in zip(scores, known, strict=True)])
    if not (_has_density(gold_scores) and _has_density(silver_scores)):
        return sampled, scores
    silver_density = gaussian_kde(silver_scores)(silver_scores)
    ratio = gaussian_kde(gold_scores)(silver_scores) / np.maximum(silver_density, 1e-12)
    share = ratio / ratio.max()
    # At least half of the silver pairs remain on average, however narrow the gold scores are.
    share = share * max(1.0, len(silver_scores) / 2 / share.sum())
    is_drawn = context.rng("kde").random(len(silver_scores)) < share
    rows_left, scores_left, start = [], [], 0
    for rows, values, count in zip(sampled, scores, known, strict=True):
        end = start + len(rows) - count
        keep = np.concatenate([np.ones(count, bool), is_drawn[start:end]])
        start = end
        rows_left.append(rows[keep])
        scores_left.append(values[keep])
    return rows_left, scores_left


def _known(gold: Gold | None, number: int) -> int:
    """How many relevant documents a query has in gold; queries after those of gold have none."""
    if gold is None or number >= len(gold):
        return 0
    return len(gold.relevant[number])


def _has_density(scores: Floats) -> bool:
    """Whether a kernel density can be estimated."""
    return len(scores) >= 3 and float(scores.std()) > 0
