"""Pools: the documents that rows rank high, joined, for each query."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from harness.base.errors import HarnessError
from harness.data.corpus import Corpus
from harness.data.dataset import TrainView
from harness.data.queries import Queries
from harness.data.ranking import Ints, TopK
from harness.methods import Method, fit, index, search
from harness.runtime.context import Context


@dataclass(frozen=True)
class Pool:
    """What rows rank highest.

    Args:
        rankings: of each row, (Q, k) rows of the corpus, −1 where a ranking is shorter.
    """

    rankings: tuple[Ints, ...]

    def candidates(self, query: int, depth: int, also: int = -1, without: int = -1) -> Ints:
        """(n,) rows of the corpus, ascending: the first `depth` of every ranking of a query.

        Args:
            query: place of the query.
            depth: of each ranking.
            also: a row that is in the pool in any case; −1 for none.
            without: a row that is taken out of the rankings first; −1 for none.
        """
        own = [ranking[query][ranking[query] != without][:depth] for ranking in self.rankings]
        unique = np.unique(np.concatenate([np.array([also]), *own]))
        return unique[unique >= 0].astype(np.int64)

    def ranks(self, query: int, row: int) -> list[int | None]:
        """The rank of a document in each ranking of a query, 1 for the first; None if it is not there."""
        places = [np.flatnonzero(ranking[query] == row) for ranking in self.rankings]
        return [int(place[0]) + 1 if len(place) else None for place in places]


def pooled(methods: Sequence[Method], corpus: Corpus, queries: Queries, depth: int, context: Context) -> Pool:
    """Searches the queries with every row, which learns nothing: there are no labels yet.

    Raises:
        HarnessError: a row cannot be run without labels, or at all.
    """
    view = TrainView(corpus)
    found: list[TopK] = []
    for method in methods:
        fitted = fit(method, view, context)
        found.append(search(method, index(method, fitted, corpus, context), queries, depth, context))
    if not found:
        raise HarnessError("a pool needs at least one row.")
    return Pool(tuple(top.indices for top in found))
