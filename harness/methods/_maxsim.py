"""MaxSim over a corpus: exact, block by block, in memory that does not grow with it.

Source: Khattab and Zaharia, ColBERT (2004.12832), section 3.3: the sum over the query's vectors of the greatest inner
product with one of the document's.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

from harness.cache.ragged import Ragged
from harness.data.ranking import Floats, Ints, TopK, select, stack
from harness.indexes._near import Near

HELD_BYTES = 1 << 30
"""Vectors of a collection up to this size stay in memory, so that no query reads them again."""
BLOCK_BYTES = 8 << 20
"""Document vectors that are compared at once."""
QUERY_VECTORS = 256
"""Query vectors that they are compared with at once: at 128 dimensions their products take 16 MiB."""


class Matrices(Protocol):
    """N matrices of token vectors that need not fit in memory."""

    def __len__(self) -> int: ...

    @property
    def width(self) -> int:
        """D."""
        ...

    @property
    def lengths(self) -> Ints:
        """(N,) vectors of each."""
        ...

    def block(self, start: int, stop: int) -> Ragged:
        """Those from start to stop."""
        ...

    def take(self, rows: Ints) -> Ragged:
        """Some of them, in the order of `rows`."""
        ...


def maxsim(document: Floats, query: Floats) -> float:
    """MaxSim of one document (n, D), n ≥ 1, and one query (m, D), in double precision; 0 for a query without
    vectors.
    """
    products = document.astype(np.float64) @ query.T.astype(np.float64)
    return float(products.max(axis=0).sum())


class MaxSimIndex:
    """Searches every document.

    A product in float32 and a bound on its error decide which documents can be among the k best; those are scored in
    double precision, so that a score does not depend on a document's place in a block. A document without vectors is
    not ranked.

    Args:
        matrices: the documents' token vectors; up to `HELD_BYTES` of them stay in memory, more are read block by
            block.
        id_order: (N,) `Corpus.id_order`.
    """

    def __init__(self, matrices: Matrices, id_order: npt.NDArray[np.int32]) -> None:
        self._id_order = id_order
        lengths = matrices.lengths
        self.nbytes = int(lengths.sum()) * matrices.width * 4 + 8 * (len(matrices) + 1)
        if self.nbytes <= HELD_BYTES:
            matrices = _InMemory(matrices.block(0, len(matrices)))
        self._matrices = matrices
        most = max(1, BLOCK_BYTES // (4 * max(1, matrices.width)))
        self._cuts = _cuts(lengths, most)
        self._longest: float | None = None

    def search(self, queries: Ragged, k: int) -> TopK:
        """The k best documents of each query, in the documented order."""
        if self._longest is None:
            self._longest = max((_longest(self._matrices.block(*cut).values) for cut in self._cuts), default=0.0)
        near = [Near(k, _slack(queries[i], self._longest)) for i in range(len(queries))]
        for start, stop in self._cuts:
            block = self._matrices.block(start, stop)
            filled = np.flatnonzero(block.lengths)  # reduceat gives an empty document the next one's value
            if not len(filled):
                continue
            rows, starts = filled + start, block.starts[:-1][filled]
            for first, last in _cuts(queries.lengths, QUERY_VECTORS):
                bounds = queries.starts[first : last + 1]
                products = queries.values[bounds[0] : bounds[-1]] @ block.values.T
                maxima = np.maximum.reduceat(products, starts, axis=1)
                for i in range(first, last):
                    begin, end = queries.starts[i] - bounds[0], queries.starts[i + 1] - bounds[0]
                    near[i].add(rows, maxima[begin:end].sum(axis=0))
        return stack([self._best(queries[i], candidates.rows, k) for i, candidates in enumerate(near)], k)

    def _best(self, query: Floats, rows: Ints, k: int) -> tuple[Ints, Floats]:
        documents = self._matrices.take(rows)
        scores = np.array([maxsim(documents[i], query) for i in range(len(rows))], dtype=np.float32)
        return select(rows, scores, self._id_order, k)


class _InMemory:
    def __init__(self, matrices: Ragged) -> None:
        self._matrices = matrices

    def __len__(self) -> int:
        return len(self._matrices)

    @property
    def width(self) -> int:
        return self._matrices.width

    @property
    def lengths(self) -> Ints:
        return self._matrices.lengths

    def block(self, start: int, stop: int) -> Ragged:
        starts = self._matrices.starts[start : stop + 1]
        return Ragged(self._matrices.values[starts[0] : starts[-1]], starts - starts[0])

    def take(self, rows: Ints) -> Ragged:
        return self._matrices.take(rows)


def _cuts(lengths: Ints, most: int) -> list[tuple[int, int]]:
    """Blocks of documents, each of at most so many vectors (one document at least)."""
    cuts, start, size = [], 0, 0
    for row, length in enumerate(lengths.tolist()):
        if size and size + length > most:
            cuts.append((start, row))
            start, size = row, 0
        size += length
    return [*cuts, (start, len(lengths))] if len(lengths) else []


def _longest(vectors: Floats) -> float:
    """The greatest length of a vector."""
    return float(np.linalg.norm(vectors, axis=1).max(initial=0.0))


def _slack(query: Floats, longest: float) -> float:
    """Twice what a score in float32 can be off: a sum of D products by D · 2⁻²⁴ · |q| · |v|, and the sum over m
    vectors.
    """
    vectors, dimension = query.shape
    lengths = float(np.linalg.norm(query.astype(np.float64), axis=1).sum())
    return float((dimension + vectors + 4) * 2.0**-23 * lengths * longest)
