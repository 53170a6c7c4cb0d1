"""Documents cut into passages, which a row ranks; a document is scored by its passages: chunked(dense)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

import numpy as np

from harness.base.errors import SettingError
from harness.choices.bounds import Count, WholeNumber
from harness.data.corpus import Corpus
from harness.data.dataset import TrainView
from harness.data.queries import Queries
from harness.data.ranking import Floats, Ints, TopK, select, stack
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
from harness.methods._passages import Passages, passages_of
from harness.methods.dense import Dense
from harness.runtime.context import Context

FIRST: Final = 3
"""Passages that are searched for each document that is to be found, at first; twice as many until there are enough."""


@dataclass(frozen=True)
class Chunked(Method):
    """Ranks passages of the documents by another row, and a document by its passages.

    For long documents: an encoder reads only their first words. Each passage has the title before it. As a scorer
    (`bm25>>chunked(cross_encoder)`) all passages of a candidate are scored. The row is fitted on the documents as they
    are: what it chooses on dev, it chooses for whole documents.

    Source: Dai and Callan, "Deeper Text Understanding for IR with Contextual Neural Language Modeling" (SIGIR 2019),
    section 3: MaxP and SumP, with passages of 150 words and an overlap of 75.

    Args:
        row: ranks the passages.
        words: of a passage; 150 words of English fit into 256 tokens.
        overlap: words that a passage has in common with the one before.
        aggregate: of the scores of a document's passages: the best (`max`), or the sum or the mean of those that are
            found (as a scorer, of all).
        depth: how many documents are found by their passages, with `sum` and `mean`; rankings are no longer.
    """

    row: Method = field(default_factory=Dense)
    words: Count = 150
    overlap: WholeNumber = 50
    aggregate: Literal["max", "sum", "mean"] = "max"
    depth: Count = 1000

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.overlap >= self.words:
            raise SettingError(f"chunked: overlap must be below words, {self.words}, not {self.overlap}.")
        if remembering := _memory(self.row):
            # Its labels are of documents, and no passage has the id of one: it would remember nothing.
            raise SettingError(
                f"chunked: {remembering} remembers queries of whole documents, not of passages; write it around "
                "chunked, as memory(chunked(bm25))."
            )

    def hosted_encodings(self, context: Context) -> tuple[HostedEncoding, ...]:
        """See `Method.hosted_encodings`; the passages are not known yet."""
        return ()

    def reach(self, depth: int) -> int:
        """See `Method.reach`."""
        return self.row.reach(depth) if self.aggregate == "max" else min(self.row.reach(depth), self.depth)

    def depth_of(self, part: Method, depth: int) -> int:
        """See `Method.depth_of`; nothing inside searches the documents as they are."""
        return 0

    def passages(self, corpus: Corpus, context: Context) -> Passages:
        """The passages of a corpus."""
        return passages_of(corpus, self.words, self.overlap, context)

    def fit(self, view: TrainView, context: Context) -> Fitted:
        """Fits the row on the documents."""
        fitted = fit(self.row, view, context)
        return _Scoring(self, fitted) if isinstance(fitted, Reranks) else _Fitted(self, fitted)


def _memory(row: Method) -> Method | None:
    """The first row inside, or the row itself, that remembers queries of documents."""
    return row if row.needs_documents else next(filter(None, map(_memory, row.nested())), None)


class _Fitted(FittedParts):
    def __init__(self, method: Chunked, fitted: Fitted) -> None:
        self._method, self._row = method, fitted
        settings = {name: value for name, value in method.settings().items() if name != "row"}
        words = f"{fitted.key} {sorted(settings.items())}"
        key = f"chunked-{hashlib.sha256(words.encode()).hexdigest()[:32]}"
        super().__init__(key, {"row": resolved_part(method.row, fitted), **settings}, (fitted,))

    def index(self, corpus: Corpus, context: Context) -> Searcher:
        passages = self._method.passages(corpus, context)
        searcher = index(self._method.row, self._row, passages.corpus, context)
        return _Searcher(f"{self.key}-{corpus.revision}", self._method, searcher, passages, corpus, context)


class _Scoring(_Fitted, Reranks):
    def candidate_scorer(self, corpus: Corpus, context: Context) -> CandidateScorer:
        assert isinstance(self._row, Reranks)
        passages = self._method.passages(corpus, context)
        scorer = self._row.candidate_scorer(passages.corpus, context)
        return _Scorer(scorer, passages, self._method.aggregate)


class _Searcher(Searcher):
    def __init__(
        self, key: str, method: Chunked, searcher: Searcher, passages: Passages, corpus: Corpus, context: Context
    ) -> None:
        self.key, self.size, self.live = key, searcher.size, searcher.live
        self._method, self._searcher, self._passages = method, searcher, passages
        self._corpus, self._context = corpus, context

    def search(self, queries: Queries, k: int) -> TopK:
        """See `Searcher.search`; passages are searched deeper and deeper, until they are of enough documents.

        With `max` the best k documents are those of the best passages, however many are found. Other aggregates depend
        on how many are found: it is the same number for every k.
        """
        enough = min(k if self._method.aggregate == "max" else self._method.depth, len(self._corpus))
        total, depth = len(self._passages.corpus), FIRST * enough
        found: dict[str, tuple[Ints, Floats]] = {}
        open_queries = queries
        while True:
            top = search(self._method.row, self._searcher, open_queries, depth, self._context)
            for query, (rows, scores) in zip(open_queries.ids, top.rows(), strict=True):
                documents, values = _by_document(self._passages.documents[rows], scores, self._method.aggregate)
                if len(documents) >= enough or len(rows) < depth or depth >= total:
                    found[query] = select(documents, values, self._corpus.id_order, min(k, enough))
            open_queries = queries.only([query for query in queries.ids if query not in found])
            if not len(open_queries):
                return stack([found[query] for query in queries.ids], k)
            depth *= 2

    def report(self, queries: Queries) -> SearchReport:
        """See `Searcher.report`; how many passages there are, and of how many documents."""
        passages = {"passages": len(self._passages.corpus), "documents_cut": self._passages.cut}
        return SearchReport(self._searcher.size, passages)

    def notes(self, queries: Queries) -> tuple[str, ...]:
        """See `Searcher.notes`."""
        return self._searcher.notes(queries)


class _Scorer(CandidateScorer):
    def __init__(self, scorer: CandidateScorer, passages: Passages, aggregate: str) -> None:
        self.size, self.live, self.independent = scorer.size, scorer.live, scorer.independent
        self._scorer, self._passages, self._aggregate = scorer, passages, aggregate

    def scores(self, texts: Sequence[str], candidates: Sequence[Ints], *, cached: bool = True) -> list[Floats]:
        """See `CandidateScorer.scores`."""
        parts = [self._passages.of(rows) for rows in candidates]
        scored = self._scorer.scores(texts, [rows for rows, _ in parts], cached=cached)
        return [
            _by_document(owners, scores, self._aggregate)[1] if len(rows) else np.zeros(0, np.float32)
            for rows, (_, owners), scores in zip(candidates, parts, scored, strict=True)
        ]


def _by_document(owners: Ints, scores: Floats, aggregate: str) -> tuple[Ints, Floats]:
    """The distinct owners of some passages, ascending, and the aggregate of their scores."""
    documents, places = np.unique(owners, return_inverse=True)
    return documents, _AGGREGATES[aggregate](places, scores, len(documents)).astype(np.float32)


def _best(places: Ints, scores: Floats, count: int) -> Floats:
    best = np.full(count, -np.inf, np.float32)
    np.maximum.at(best, places, scores)
    return best


def _sum(places: Ints, scores: Floats, count: int) -> np.ndarray:
    return np.bincount(places, scores.astype(np.float64), count)


def _mean(places: Ints, scores: Floats, count: int) -> np.ndarray:
    return _sum(places, scores, count) / np.bincount(places, minlength=count)


_AGGREGATES: Final[dict[str, Callable[[Ints, Floats, int], np.ndarray]]] = {"max": _best, "sum": _sum, "mean": _mean}
