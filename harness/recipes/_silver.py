"""Silver pairs: queries with sampled documents and a teacher's scores of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from harness.data.dataset import TrainView
from harness.data.queries import Labelled, Queries
from harness.data.ranking import Floats, Ints, own_rows
from harness.leaks.history import Kind, TrainedQuery
from harness.methods import Method, fit, index, search
from harness.runtime.context import Context
from harness.training.candidates import without_known
from harness.training.gold import Gold


@dataclass(frozen=True)
class Silver:
    """Pairs with the teacher's scores: per query its relevant documents first, then the sampled ones.

    Without scores, documents are scored when they are drawn for an example: of all that were sampled most never are.
    """

    queries: Queries
    rows: Sequence[Ints]
    scores: Sequence[Floats] | None
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


@dataclass(frozen=True)
class Sampling:
    """How the silver documents of a query are drawn.

    Args:
        methods: whose rankings; none draws from the whole corpus.
        ranks: from and to which rank of each.
        count: documents of each query.
    """

    methods: tuple[Method, ...]
    ranks: tuple[int, int]
    count: int

    def documents(self, queries: Queries, gold: Gold | None, view: TrainView, context: Context) -> list[Ints]:
        """Per query: its relevant documents first, then drawn ones that are not judged relevant."""
        rng = context.rng("silver pairs")
        first, last = self.ranks
        tops = []
        for method in self.methods:
            searcher = index(method, fit(method, view, context), view.corpus, context)
            tops.append(search(method, searcher, queries, last, context).indices[:, first - 1 :])
        themselves = view.train.drop_self if view.train is not None and gold is not None else frozenset()
        own = own_rows(Labelled(queries, {}, themselves), view.corpus)
        sampled = []
        for number in range(len(queries)):
            relevant = gold.relevant[number] if gold is not None and number < len(gold) else np.zeros(0, np.int64)
            if self.methods:
                candidates = np.concatenate([top[number][top[number] >= 0] for top in tops])
            else:
                candidates = rng.integers(len(view.corpus), size=2 * self.count)
            query = Queries(queries.ids[number : number + 1], queries.texts[number : number + 1])
            excluded = relevant if own[number] < 0 else np.union1d(relevant, own[number])
            candidates = np.unique(without_known(query, [candidates], [excluded], view)[0])
            drawn = rng.permutation(candidates)[: self.count]
            sampled.append(np.concatenate([relevant, drawn]).astype(np.int64))
        return sampled


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
