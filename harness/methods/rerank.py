"""A first stage finds candidates, a scorer re-ranks them: bm25>>dense, bm25>>cross_encoder."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from harness.base.errors import SettingError
from harness.choices.bounds import Count
from harness.data.corpus import Corpus
from harness.data.dataset import TrainView
from harness.data.queries import Queries
from harness.data.ranking import Ints, TopK, select, stack
from harness.methods import (
    CandidateScorer,
    Fitted,
    HostedEncoding,
    Method,
    Reranks,
    Searcher,
    SearchReport,
    fit,
    index,
    search,
)
from harness.methods._parts import FittedParts, resolved_part
from harness.methods.bm25 import BM25
from harness.methods.dense import Dense
from harness.runtime.context import Context


@dataclass(frozen=True)
class Rerank(Method):
    """Re-orders the first stage's best documents by another model's scores; the first stage's scores are dropped.

    With a bi-encoder as scorer only the candidates are embedded, which is the budget option of Kamalloo et al.,
    "Evaluating Embedding APIs for Information Retrieval" (ACL 2023). The ranking is no longer than `depth`: recall
    beyond it is not measured: the tail of the first stage is not appended.

    Args:
        first: finds the candidates.
        scorer: scores them; one of `dense`, `cross_encoder`, `late`, `sparse`, `generative`, `api`, `rerank_api`,
            `listwise`, `pointwise`.
        depth: how many candidates.
    """

    first: Method = field(default_factory=BM25)
    scorer: Method = field(default_factory=Dense)
    depth: Count = 100

    def reach(self, depth: int) -> int:
        """See `Method.reach`; nothing but the candidates is ranked."""
        return min(depth, self.depth)

    def depth_of(self, part: Method, depth: int) -> int:
        """See `Method.depth_of`; the scorer is not searched."""
        return self.depth if part is self.first else 0

    def hosted_encodings(self, context: Context) -> Iterator[HostedEncoding]:
        """See `Method.hosted_encodings`; the scorer encodes only the candidates."""
        yield from self.first.hosted_encodings(context)
        for encoding in self.scorer.hosted_encodings(context):
            yield dataclasses.replace(encoding, first=self.first, depth=self.depth)

    def fit(self, view: TrainView, context: Context) -> Fitted:
        """Fits both.

        Raises:
            SettingError: the scorer is a method that cannot score given candidates.
        """
        first, scorer = fit(self.first, view, context), fit(self.scorer, view, context)
        if not isinstance(scorer, Reranks):
            raise SettingError(
                f"{self.scorer} cannot re-rank; a scorer is dense, cross_encoder, late or sparse, as in bm25>>dense."
            )
        return _Fitted(self, first, scorer)


class _Fitted(FittedParts):
    def __init__(self, method: Rerank, first: Fitted, scorer: Fitted) -> None:
        assert isinstance(scorer, Reranks)
        self.method, self._first, self._scorer = method, first, scorer
        words = f"{first.key} {scorer.key} {method.depth}"
        resolved = {
            "first": resolved_part(method.first, first),
            "scorer": resolved_part(method.scorer, scorer),
            "depth": method.depth,
        }
        super().__init__(f"rerank-{hashlib.sha256(words.encode()).hexdigest()[:32]}", resolved, (first, scorer))

    def index(self, corpus: Corpus, context: Context) -> Searcher:
        assert isinstance(self._scorer, Reranks)
        first = index(self.method.first, self._first, corpus, context)
        return _Searcher(self, first, self._scorer.candidate_scorer(corpus, context), corpus, context)


class _Searcher(Searcher):
    def __init__(
        self, fitted: _Fitted, first: Searcher, scorer: CandidateScorer, corpus: Corpus, context: Context
    ) -> None:
        self.key = f"{fitted.key}-{corpus.revision}"
        self._method, self._first, self._scorer = fitted.method, first, scorer
        self._corpus, self._context = corpus, context
        self.size = first.size + scorer.size
        self.live = first.live and scorer.live

    def search(self, queries: Queries, k: int) -> TopK:
        candidates = self._candidates(queries)
        all_scores = self._scorer.scores(queries.texts, candidates, cached=queries.cached)
        pairs = zip(candidates, all_scores, strict=True)
        return stack([select(rows, scores, self._corpus.id_order, k) for rows, scores in pairs], k)

    def _candidates(self, queries: Queries) -> list[Ints]:
        top = search(self._method.first, self._first, queries, self._method.depth, self._context)
        return [indices for indices, _ in top.rows()]

    def report(self, queries: Queries) -> SearchReport:
        """See `Searcher.report`."""
        candidates = self._candidates(queries)  # from the ledger: the first stage has searched these queries
        return SearchReport(self._first.report(queries).size + self._scorer.size_for(candidates))

    def notes(self, queries: Queries) -> tuple[str, ...]:
        """See `Searcher.notes`."""
        return self._first.notes(queries)
