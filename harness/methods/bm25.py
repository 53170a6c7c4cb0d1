"""BM25 as Lucene ranks it, embedded: no Java, no server."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from harness.analyzers import Analyzer
from harness.analyzers.english import English
from harness.cache.code import code_of
from harness.choices.bounds import NonNegative, Share
from harness.choices.value import LATER
from harness.data.corpus import Corpus
from harness.data.dataset import TrainView
from harness.data.queries import Queries
from harness.data.ranking import Floats, Ints, TopK, stack
from harness.feedback import Feedback
from harness.methods import Fitted, Method, Searcher, Size
from harness.runtime.build_once import build_once
from harness.runtime.context import Context

if TYPE_CHECKING:
    from harness.lexical.bm25 import InvertedIndex


@dataclass(frozen=True)
class BM25(Method):
    """Lucene's BM25 over title and text.

    Source: `harness.lexical.bm25`. The defaults are Anserini's, with which its published BEIR scores were computed;
    Lucene's own are k1 = 1.2 and b = 0.75, whose scores differ by points on some collections.

    Args:
        k1: saturation of term frequency, ≥ 0.
        b: strength of length normalisation, 0 to 1.
        analyzer: text → terms.
        feedback: makes a new query of the query and its best documents, for a second search; None searches once.
    """

    k1: NonNegative = 0.9
    b: Share = 0.4
    analyzer: Analyzer = field(default_factory=English)
    feedback: Feedback | None = field(default=None, metadata=LATER)

    def fit(self, view: TrainView, context: Context) -> Fitted:
        """Nothing to learn."""
        return _Fitted(self)


class _Fitted(Fitted):
    def __init__(self, method: BM25) -> None:
        self._method = method
        self.key = method.fingerprint()
        self.resolved = method.settings()

    def index(self, corpus: Corpus, context: Context) -> Searcher:
        """The inverted index, cached by corpus, analyser, k1, b and the code that builds it."""
        # Imported here: bm25s and scipy are slow to import, and a listing needs none of them.
        from harness.lexical.bm25 import InvertedIndex
        from harness.lexical.postings import Postings

        method = replace(self._method, feedback=None)
        code = code_of(method, without=("harness.feedback",), libraries=("bm25s", "numpy"))
        key = hashlib.sha256(f"{code} {method.full()} {corpus.revision}".encode()).hexdigest()[:32]

        def build(folder: Path) -> None:
            postings = Postings(method.analyzer, context.memory, folder)
            with context.progress("index bm25", len(corpus), "documents") as advance:
                for texts in corpus.text_blocks():
                    postings.add(texts)
                    advance(len(texts))
            InvertedIndex.write(folder, postings, k1=method.k1, b=method.b)

        describe = {"method": method.full(), "documents": len(corpus), "corpus": corpus.revision}
        folder = build_once(context, "bm25", key, describe, build)
        return _Searcher(f"{self.key}-{corpus.revision}", self._method, InvertedIndex.open(folder), corpus)


class _Searcher(Searcher):
    def __init__(self, key: str, method: BM25, inverted: InvertedIndex, corpus: Corpus) -> None:
        self.key = key
        self.size = Size(index_bytes=inverted.nbytes)
        self._method, self._inverted, self._corpus = method, inverted, corpus

    def search(self, queries: Queries, k: int) -> TopK:
        """See `Searcher.search`; a query without a term of the corpus has an empty ranking."""
        feedback = self._method.feedback
        vectors: dict[int, Counter[str]] = {}
        rankings = []
        for text in queries.texts:
            terms = self._method.analyzer(text)
            if feedback is None:
                rankings.append(self._inverted.search(terms, self._corpus.id_order, k))
            else:
                rankings.append(self._search_again(feedback, terms, k, vectors))
        return stack(rankings, k)

    def _search_again(
        self, feedback: Feedback, terms: list[str], k: int, vectors: dict[int, Counter[str]]
    ) -> tuple[Ints, Floats]:
        """The second search; `vectors` has the terms of documents that other queries have fed back."""
        rows, scores = self._inverted.search(terms, self._corpus.id_order, feedback.fb_docs)
        new = np.array([row for row in rows.tolist() if row not in vectors], dtype=np.int64)
        texts = self._corpus.texts_of(new)[:]
        vectors.update(
            (row, Counter(self._method.analyzer(text))) for row, text in zip(new.tolist(), texts, strict=True)
        )
        weights = feedback.weights(terms, [vectors[row] for row in rows.tolist()], scores, self._inverted.share)
        return self._inverted.search_weighted(weights, self._corpus.id_order, k)
