"""RM3: the query mixed with a relevance model of the best documents of a first search."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from harness.choices.bounds import Count, Share
from harness.data.ranking import Floats
from harness.feedback import Feedback
from harness.feedback._terms import Weights, best, counted, eligible, matrix, unit

_ENGLISH: Final = re.compile(r"[a-z0-9]+")


@dataclass(frozen=True)
class RM3(Feedback):
    """The relevance model RM3, as Anserini estimates it.

    Source: Lavrenko and Croft, "Relevance-Based Language Models" (SIGIR 2001), P(w|R) ∝ Σ_D P(w|D) P(Q|D)
    with a uniform prior of documents, and Abdul-Jaleel et al., "UMass at TREC 2004: Novelty and HARD", who mix it with
    the query, λ P(w|Q) + (1 − λ) P(w|R). Anserini puts the score of D in place of P(Q|D), and P(w|D) = tf / Σ tf over
    the `fb_terms` most frequent eligible terms of D.

    Args:
        fb_docs: number of documents assumed relevant.
        fb_terms: number of terms of the relevance model.
        original_query_weight: λ, 0 to 1.
        filter_terms: whether only terms of the letters a to z and digits are added to the query.
    """

    fb_docs: Count = 10
    fb_terms: Count = 10
    original_query_weight: Share = 0.5
    filter_terms: bool = True

    def weights(
        self,
        query: Sequence[str],
        documents: Sequence[Mapping[str, int]],
        scores: Floats,
        share: Callable[[str], float],
    ) -> dict[str, float]:
        """See `Feedback.weights`."""
        original, model = unit(counted(query), 1), self._relevance(documents, scores, share)
        weight = float(np.float32(self.original_query_weight))
        zero = np.float32(0)
        mixed = {}
        for term in dict.fromkeys([*original, *model]):
            of_query = np.float32(weight) * original.get(term, zero)
            value = np.float32(of_query + (1.0 - weight) * float(model.get(term, zero)))
            if value > 0:
                mixed[term] = float(value)
        return mixed

    def _relevance(
        self, documents: Sequence[Mapping[str, int]], scores: Floats, share: Callable[[str], float]
    ) -> Weights:
        """P(w|R) of the `fb_terms` best terms."""
        terms, tf = matrix([self._model(document, share) for document in documents])
        total = np.zeros(len(terms), np.float32)
        norms = tf.sum(axis=0, dtype=np.float64).astype(np.float32)
        for counts, norm, score in zip(tf.T, norms, scores, strict=True):
            if norm > 0:
                total += counts / norm * np.float32(score)
        return unit(best(dict(zip(terms, total, strict=True)), self.fb_terms), 1)

    def _model(self, document: Mapping[str, int], share: Callable[[str], float]) -> Weights:
        """The most frequent eligible terms of a document, with their counts."""
        terms = eligible(document, share)
        if self.filter_terms:
            terms = {term: count for term, count in terms.items() if _ENGLISH.fullmatch(term)}
        return best({term: np.float32(count) for term, count in terms.items()}, self.fb_terms)
