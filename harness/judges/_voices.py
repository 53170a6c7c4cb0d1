"""What a panel hears: how alike texts and documents are, by vectors of an encoder or of words."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np

from harness.analyzers.english import English
from harness.base.errors import SettingError
from harness.data.corpus import Corpus
from harness.data.dataset import TrainView
from harness.data.ranking import Floats, Ints
from harness.methods import Encodes, Method, fit
from harness.models.sides import Side
from harness.runtime.context import Context

READ = 20_000
"""At most so many documents, evenly spread, are read to weigh words."""


class Voice(ABC):
    """Scores texts with documents by the cosines of their vectors."""

    @abstractmethod
    def vectors(self, texts: Sequence[str], side: Side) -> Any:
        """(n, D) rows of length 1, sparse or not."""

    def scores(self, texts: Sequence[str], side: Side, corpus: Corpus, candidates: Sequence[Ints]) -> list[Floats]:
        """For each text, the cosines of its candidates, rows of the corpus."""
        rows = np.unique(np.concatenate([*candidates, np.zeros(0, np.int64)]))
        if not len(rows):
            return [np.zeros(0, np.float32) for _ in candidates]
        documents, own = self.vectors(corpus.texts_of(rows)[:], "document"), self.vectors(texts, side)
        products = [documents[np.searchsorted(rows, each)] @ own[[place]].T for place, each in enumerate(candidates)]
        return [_filled(product).ravel() for product in products]

    def power(self, first: Sequence[str], second: Sequence[str]) -> float:
        """How well a half of a text is told from others by its other half: d′, the distance of the mean cosine of two
        halves of one text from that of different texts, in standard deviations (Green and Swets, 1966).

        No half has the words of the other because it was copied, so that words are not favoured.

        Args:
            first: one half of each of at least two texts.
            second: the other halves, in the same order.
        """
        cosines = _filled(self.vectors(first, "document") @ self.vectors(second, "document").T).astype(np.float64)
        own, others = np.diag(cosines), cosines[~np.eye(len(cosines), dtype=bool)]
        deviation = np.sqrt((own.var() + others.var()) / 2)
        return float((own.mean() - others.mean()) / deviation) if deviation > 0 else 0.0


class Words(Voice):
    """TF-IDF vectors (Salton and Buckley, 1988) of the terms that BM25 matches by default.

    Args:
        corpus: all documents, of which at most `READ` are read.
    """

    def __init__(self, corpus: Corpus) -> None:
        from sklearn.feature_extraction.text import TfidfVectorizer  # slow to import

        rows = np.linspace(0, len(corpus) - 1, min(len(corpus), READ)).astype(np.int64)
        self._weights = TfidfVectorizer(analyzer=English(), sublinear_tf=True, dtype=np.float32)
        self._weights.fit(corpus.texts_of(rows)[:])

    def vectors(self, texts: Sequence[str], side: Side) -> Any:
        """See `Voice.vectors`."""
        return self._weights.transform(texts)


class Encoded(Voice):
    """Vectors of an encoder, cached as a row's.

    Args:
        method: a row with one vector per text.
        corpus: all documents.
        context: device, cache.

    Raises:
        SettingError: it has none.
    """

    def __init__(self, method: Method, corpus: Corpus, context: Context) -> None:
        fitted = fit(method, TrainView(corpus), context)
        if not isinstance(fitted, Encodes):
            raise SettingError(f"{method} has no vectors of documents, so a panel cannot hear it; name dense.")
        self._encoder = fitted.encoder

    def vectors(self, texts: Sequence[str], side: Side) -> Any:
        """See `Voice.vectors`."""
        found = np.asarray(self._encoder.vectors(texts, side).block(0, len(texts)), np.float32)
        return found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), np.float32(1e-9))


def halves(texts: Sequence[str], words: int) -> tuple[list[str], list[str]]:
    """Both halves of each different text of at least so many words; of a text with few spaces by characters."""
    first, second = [], []
    for text in dict.fromkeys(texts):
        parts = text.split()
        joint = " "
        if len(parts) < words:
            parts, joint = (list(text), "") if len(text) >= 6 * words else ([], "")
        if parts:
            first.append(joint.join(parts[: len(parts) // 2]))
            second.append(joint.join(parts[len(parts) // 2 :]))
    return first, second


def _filled(product: Any) -> Floats:
    return np.asarray(product.toarray() if hasattr(product, "toarray") else product, np.float32)
