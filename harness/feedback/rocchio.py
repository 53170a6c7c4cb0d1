"""Rocchio: the query moved towards the mean of the documents it finds first."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from harness.choices.bounds import Count, NonNegative
from harness.data.ranking import Floats
from harness.feedback import Feedback
from harness.feedback._terms import Weights, best, counted, eligible, matrix, unit


@dataclass(frozen=True)
class Rocchio(Feedback):
    """Rocchio's method without negative documents, as Anserini has it.

    Source: Rocchio, "Relevance Feedback in Information Retrieval" (in Salton, ed., The SMART Retrieval System, 1971):
    q' = α q + β mean(d), q and each d of length 1, d weighted by tf. Of the mean the `fb_terms` heaviest terms stay,
    and are scaled to length 1.

    Args:
        fb_docs: documents taken for relevant.
        fb_terms: terms of their mean that stay.
        alpha: weight of the query, ≥ 0.
        beta: weight of the documents, ≥ 0.
    """

    fb_docs: Count = 10
    fb_terms: Count = 10
    alpha: NonNegative = 1.0
    beta: NonNegative = 0.75

    def weights(
        self,
        query: Sequence[str],
        documents: Sequence[Mapping[str, int]],
        scores: Floats,
        share: Callable[[str], float],
    ) -> dict[str, float]:
        """See `Feedback.weights`; the scores do not count."""
        asked, mean = unit(counted(query), 2), self._mean([eligible(document, share) for document in documents])
        alpha, beta, none = np.float32(self.alpha), np.float32(self.beta), np.float32(0)
        moved = {
            term: alpha * asked.get(term, none) + beta * mean.get(term, none) for term in dict.fromkeys([*asked, *mean])
        }
        return {term: float(value) for term, value in moved.items() if value > 0}

    def _mean(self, documents: Sequence[Mapping[str, int]]) -> Weights:
        """The heaviest terms of the mean of the documents; one without an eligible term counts as nothing, but
        counts.
        """
        terms, tf = matrix(documents)
        total = np.zeros(len(terms), np.float32)
        for counts, norm in zip(
            tf.T, np.sqrt((tf.astype(np.float64) ** 2).sum(axis=0)).astype(np.float32), strict=True
        ):
            if norm > 0:
                total += counts / norm
        return unit(best(dict(zip(terms, total / np.float32(len(documents) or 1), strict=True)), self.fb_terms), 2)
