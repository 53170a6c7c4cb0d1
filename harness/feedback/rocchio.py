"""Rocchio: the query moved towards the mean of the best documents of a first search."""

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
    """Rocchio's method without negative documents, as in Anserini.

    Source: Rocchio, "Relevance Feedback in Information Retrieval" (in Salton, ed., The SMART Retrieval System, 1971):
    q' = α q + β mean(d), q and each d of length 1, d weighted by tf. The mean is reduced to its `fb_terms` heaviest
    terms and scaled to length 1.

    Args:
        fb_docs: number of documents assumed relevant.
        fb_terms: number of terms of their mean.
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
        """See `Feedback.weights`; the scores are not used."""
        original, mean = unit(counted(query), 2), self._mean([eligible(document, share) for document in documents])
        alpha, beta, zero = np.float32(self.alpha), np.float32(self.beta), np.float32(0)
        moved = {}
        for term in dict.fromkeys([*original, *mean]):
            value = alpha * original.get(term, zero) + beta * mean.get(term, zero)
            if value > 0:
                moved[term] = float(value)
        return moved

    def _mean(self, documents: Sequence[Mapping[str, int]]) -> Weights:
        """The heaviest terms of the mean of the documents; one without eligible terms counts as a zero vector."""
        terms, tf = matrix(documents)
        total = np.zeros(len(terms), np.float32)
        norms = np.sqrt((tf.astype(np.float64) ** 2).sum(axis=0)).astype(np.float32)
        for counts, norm in zip(tf.T, norms, strict=True):
            if norm > 0:
                total += counts / norm
        mean = total / np.float32(len(documents) or 1)
        return unit(best(dict(zip(terms, mean, strict=True)), self.fb_terms), 2)
