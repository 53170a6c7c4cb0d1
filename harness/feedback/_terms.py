"""Which terms feedback may add, and the best of them, as in Anserini.

Source: `Rm3Reranker`, `RocchioReranker` and `FeatureVector` of Anserini 1.7.1. Weights are float32 there and here:
the rounding decides ties, and ties decide which terms are used.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from harness.data.ranking import Floats

SHORTEST, LONGEST = 2, 20
"""Length of a term, in UTF-16 units, Java's characters."""
COMMON = np.float32(0.1)
"""A term in more than this share of the documents is left out; this replaces a list of stop words."""

Weights = dict[str, np.float32]


def eligible(document: Mapping[str, int], share: Callable[[str], float]) -> dict[str, int]:
    """The terms of a document that are neither too short, too long nor too common, with their counts."""
    return {
        term: count
        for term, count in document.items()
        if SHORTEST <= len(term.encode("utf-16-le")) // 2 <= LONGEST and np.float32(share(term)) <= COMMON
    }


def best(weights: Mapping[str, np.float32], n: int) -> Weights:
    """The n terms of greatest weight; ties go by UTF-16 units, Java's order of strings."""
    order = sorted(weights, key=lambda term: (-weights[term], term.encode("utf-16-be")))
    return {term: weights[term] for term in order[:n]}


def matrix(documents: Sequence[Mapping[str, int] | Weights]) -> tuple[list[str], Floats]:
    """V terms in the order they appear, and their weights (V, D) in D documents."""
    rows: dict[str, int] = {}
    for document in documents:
        for term in document:
            rows.setdefault(term, len(rows))
    weights = np.zeros((len(rows), len(documents)), np.float32)
    for column, document in enumerate(documents):
        for term, weight in document.items():
            weights[rows[term], column] = weight
    return list(rows), weights


def unit(weights: Mapping[str, np.float32 | float], power: int) -> Weights:
    """Weights scaled so that the sum of their absolute values (power 1) or of their squares (power 2) is 1."""
    norm = sum(abs(float(weight)) ** power for weight in weights.values()) ** (1 / power)
    return {term: np.float32(float(weight) / norm) for term, weight in weights.items()}


def counted(query: Sequence[str]) -> dict[str, float]:
    """Terms of a query with their counts."""
    return {term: float(count) for term, count in Counter(query).items()}
