"""A scorer of candidates as a row of its own: every document is a candidate, which only a tiny collection allows."""

from __future__ import annotations

import numpy as np

from harness.base.errors import HarnessError
from harness.data.corpus import Corpus
from harness.data.queries import Queries
from harness.data.ranking import TopK, select, stack
from harness.methods import CandidateScorer, Searcher


class Exhaustive(Searcher):
    """Scores the whole corpus for each query.

    Args:
        name: of the method.
        key: of the fitted method.
        scorer: scores candidates.
        corpus: all of them.
        max_pairs: of query and document; more are refused.
    """

    def __init__(self, name: str, key: str, scorer: CandidateScorer, corpus: Corpus, max_pairs: int) -> None:
        self.key = f"{key}-{corpus.revision}"
        self.size, self.live = scorer.size, scorer.live
        self._name, self._scorer, self._corpus, self._max_pairs = name, scorer, corpus, max_pairs

    def search(self, queries: Queries, k: int) -> TopK:
        """See `Searcher.search`.

        Raises:
            HarnessError: too many pairs.
        """
        pairs = len(queries) * len(self._corpus)
        if pairs > self._max_pairs:
            raise HarnessError(
                f"{self._name} as a row of its own would score {pairs:,} pairs here; use it as a re-ranker, as in "
                f"bm25>>{self._name}."
            )
        rows = np.arange(len(self._corpus), dtype=np.int64)
        scores = self._scorer.scores(queries.texts, [rows] * len(queries), cached=queries.cached)
        return stack([select(rows, s, self._corpus.id_order, k) for s in scores], k)
