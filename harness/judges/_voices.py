"""What a panel hears: scores of a text with documents."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from harness.analyzers.english import English
from harness.data.corpus import Corpus
from harness.data.ranking import Floats, Ints

READ = 20_000
"""At most so many documents, evenly spread, are read to weigh words."""


class Voice(Protocol):
    """Scores of texts with candidates; a score of a pair does not depend on other pairs."""

    def scores(self, texts: Sequence[str], candidates: Sequence[Ints]) -> list[Floats]:
        """For each text, the scores of its candidates, rows of the corpus."""
        ...


class Words:
    """Cosines of TF-IDF vectors (Salton and Buckley, 1988), of the terms that BM25 matches by default.

    Args:
        corpus: all documents, of which at most `READ` are read.
    """

    def __init__(self, corpus: Corpus) -> None:
        from sklearn.feature_extraction.text import TfidfVectorizer  # slow to import

        self._corpus = corpus
        rows = np.linspace(0, len(corpus) - 1, min(len(corpus), READ)).astype(np.int64)
        self._weights = TfidfVectorizer(analyzer=English(), sublinear_tf=True, dtype=np.float32)
        self._weights.fit(corpus.texts_of(rows)[:])

    def scores(self, texts: Sequence[str], candidates: Sequence[Ints]) -> list[Floats]:
        """See `Voice.scores`."""
        if not len(texts):
            return []
        rows = np.unique(np.concatenate([*candidates, np.zeros(0, np.int64)]))
        documents: Any = self._weights.transform(self._corpus.texts_of(rows)[:])
        own: Any = self._weights.transform(texts)
        # Sparse rows of length 1: a product is a cosine.
        products = [documents[np.searchsorted(rows, each)] @ own[place].T for place, each in enumerate(candidates)]
        return [np.asarray(product.toarray(), np.float32).ravel() for product in products]

