"""An inverted index of learnt weights: for each term the documents that hold it and how much it weighs in them.

Source: Anh, de Kretser and Moffat, "Vector-Space Ranking with Effective Early Termination" (SIGIR 2001) for an index
whose postings hold the term's whole share of the score; Formal et al., SPLADE (2107.05720), section 3, for what is put
into it.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from harness.cache.ragged import Ragged
from harness.data.ranking import Floats, Ints


class ImpactIndex:
    """Postings of N documents, read term by term.

    Args:
        blocks: the documents, in blocks of (n_i, 2) matrices: term number, weight.
    """

    def __init__(self, blocks: Iterable[Ragged]) -> None:
        import scipy.sparse as sp  # slow to import, and a listing needs none of it

        held = [(block.values[:, 0].astype(np.int32), block.values[:, 1].copy(), block.lengths) for block in blocks]
        terms = np.concatenate([np.zeros(0, np.int32), *(t for t, _, _ in held)])
        weights = np.concatenate([np.zeros(0, np.float32), *(w for _, w, _ in held)])
        lengths = np.concatenate([np.zeros(0, np.int64), *(n for _, _, n in held)])
        starts = np.concatenate([[0], np.cumsum(lengths)])
        shape = (len(lengths), int(terms.max(initial=-1)) + 1)
        self._postings = sp.csr_matrix((weights, terms, starts), shape=shape).tocsc()

    @property
    def nbytes(self) -> int:
        """Bytes of the postings and of where each term's begin."""
        held = self._postings
        return int(held.data.nbytes + held.indices.nbytes + held.indptr.nbytes)

    def scores(self, query: Floats) -> tuple[Ints, Floats]:
        """The documents that share a term with a query, ascending, and their inner products with it.

        Each product is summed in double precision, by ascending term: documents of the same weights get the same score,
        here and from `product`.

        Args:
            query: (m, 2) term number, weight; by ascending term.
        """
        held = self._postings
        found = np.zeros(held.shape[0], dtype=np.float64)
        shared = np.zeros(held.shape[0], dtype=bool)
        for term, weight in zip(query[:, 0].astype(np.int64).tolist(), query[:, 1].tolist(), strict=True):
            if term < held.shape[1]:
                here = slice(held.indptr[term], held.indptr[term + 1])
                rows = held.indices[here]  # each once, so that += adds to each
                found[rows] += weight * held.data[here].astype(np.float64)
                shared[rows] = True
        rows = np.flatnonzero(shared)
        return rows, found[rows].astype(np.float32)


def product(document: Floats, query: Floats) -> float:
    """The inner product of two sparse vectors, (n, 2) and (m, 2), summed as `ImpactIndex.scores` sums; 0 where none is
    shared.
    """
    _, here, there = np.intersect1d(document[:, 0], query[:, 0], assume_unique=True, return_indices=True)
    terms = query[there, 1].astype(np.float64) * document[here, 1]
    # One after the other, as the index adds them; `sum` of floats is compensated from Python 3.12 on.
    return float(np.float32(np.add.accumulate(terms)[-1])) if len(terms) else 0.0


def pruned(vector: Floats, terms: int | None) -> Floats:
    """A sparse vector's terms of the highest weight, by ascending term; of equal ones the lower term. None keeps
    all.
    """
    if terms is None or len(vector) <= terms:
        return vector
    order = np.lexsort((vector[:, 0], -np.abs(vector[:, 1])))[:terms]
    return vector[np.sort(order)]


def unit(vector: Floats) -> Floats:
    """A sparse vector divided by its length; one without terms as it is."""
    length = float(np.linalg.norm(vector[:, 1].astype(np.float64)))
    if not length:
        return vector
    return np.stack([vector[:, 0], (vector[:, 1] / length).astype(np.float32)], axis=1)
