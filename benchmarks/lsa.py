"""Latent semantic analysis as a row, `benchmarks/lsa.py:Lsa`: a search that matches no words and shares no model with
a judge, for `benchmarks/testset_validity.py`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.preprocessing import normalize

DIMENSIONS = 100


class Lsa:
    """TF-IDF vectors of the documents in their first singular directions (Deerwester et al., JASIS 1990)."""

    def index(self, corpus: Iterable[Any]) -> None:
        """The documents as vectors."""
        documents = list(corpus)
        self._ids = [document.id for document in documents]
        self._words = TfidfVectorizer(sublinear_tf=True, min_df=2, stop_words="english", dtype=np.float32)
        table = self._words.fit_transform(f"{document.title} {document.text}" for document in documents)
        self._directions = TruncatedSVD(max(1, min(DIMENSIONS, min(table.shape) - 1)), random_state=0)
        self._vectors = normalize(self._directions.fit_transform(table))

    def search(self, query: str, k: int) -> list[tuple[str, float]]:
        """The nearest documents by cosine."""
        scores = self._vectors @ normalize(self._directions.transform(self._words.transform([query])))[0]
        best = np.argsort(-scores, kind="stable")[:k]
        return [(self._ids[place], float(scores[place])) for place in best]
