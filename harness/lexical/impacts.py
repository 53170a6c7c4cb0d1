"""An inverted index of learnt weights: for each term, the documents that contain it and its weight in each.

Source: Anh, de Kretser and Moffat, "Vector-Space Ranking with Effective Early Termination" (SIGIR 2001) for an index
whose postings contain the term's whole share of the score; Formal et al., SPLADE (2107.05720), section 3, for the
weights.
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

        terms_of, weights_of, lengths_of = [np.zeros(0, np.int32)], [np.zeros(0, np.float32)], [np.zeros(0, np.int64)]
        for block in blocks:
            terms_of.append(block.values[:, 0].astype(np.int32))
            weights_of.append(block.values[:, 1].copy())
            lengths_of.append(block.lengths)
        terms, weights, lengths = np.concatenate(terms_of), np.concatenate(weights_of), np.concatenate(lengths_of)
        starts = np.concatenate([[0], np.cumsum(lengths)])
        shape = (len(lengths), int(terms.max(initial=-1)) + 1)
        self._postings = sp.csr_matrix((weights, terms, starts), shape=shape).tocsc()

    @property
    def nbytes(self) -> int:
        """Bytes of the postings and of their offsets."""
        matrix = self._postings
        return int(matrix.data.nbytes + matrix.indices.nbytes + matrix.indptr.nbytes)

    def scores(self, query: Floats) -> tuple[Ints, Floats]:
        """The documents that share a term with a query, ascending, and their inner products with it.

        Each product is summed in double precision, by ascending term: documents of the same weights get the same score,
        here and from `product`.

        Args:
            query: (m, 2) term number, weight; by ascending term.
        """
        postings = self._postings
        sums = np.zeros(postings.shape[0], dtype=np.float64)
        shared = np.zeros(postings.shape[0], dtype=bool)
        for term, weight in zip(query[:, 0].astype(np.int64).tolist(), query[:, 1].tolist(), strict=True):
            if term < postings.shape[1]:
                of_term = slice(postings.indptr[term], postings.indptr[term + 1])
                rows = postings.indices[of_term]  # each once, so that += adds to each
                sums[rows] += weight * postings.data[of_term].astype(np.float64)
                shared[rows] = True
        rows = np.flatnonzero(shared)
        return rows, sums[rows].astype(np.float32)


def product(document: Floats, query: Floats) -> float:
    """The inner product of two sparse vectors, (n, 2) and (m, 2), summed as in `ImpactIndex.scores`."""
    _, of_document, of_query = np.intersect1d(document[:, 0], query[:, 0], assume_unique=True, return_indices=True)
    terms = query[of_query, 1].astype(np.float64) * document[of_document, 1]
    # One after the other, as the index adds them; `sum` of floats is compensated from Python 3.12 on.
    return float(np.float32(np.add.accumulate(terms)[-1])) if len(terms) else 0.0


def pruned(vector: Floats, terms: int | None) -> Floats:
    """The terms of the highest weight, by ascending term; of equal weights, the lower terms. None keeps all."""
    if terms is None or len(vector) <= terms:
        return vector
    order = np.lexsort((vector[:, 0], -np.abs(vector[:, 1])))[:terms]
    return vector[np.sort(order)]


def unit(vector: Floats) -> Floats:
    """A sparse vector divided by its length; one without terms is unchanged."""
    length = float(np.linalg.norm(vector[:, 1].astype(np.float64)))
    if not length:
        return vector
    return np.stack([vector[:, 0], (vector[:, 1] / length).astype(np.float32)], axis=1)
