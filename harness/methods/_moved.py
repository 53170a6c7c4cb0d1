"""Vectors of a corpus of which some are replaced."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from harness.data.corpus import Corpus
from harness.data.ranking import Floats, Ints
from harness.endpoints.journal import digest
from harness.indexes import Vectors
from harness.models.encoder import Encoder, Side


class Replaced:
    """(N, D) vectors, those of some rows replaced.

    Args:
        vectors: (N, D), as encoded.
        rows: (M,) ascending.
        replacements: (M, D) for these rows.
    """

    def __init__(self, vectors: Vectors, rows: Ints, replacements: Floats) -> None:
        self._vectors, self._rows, self._replacements = vectors, rows, replacements

    def __len__(self) -> int:
        return len(self._vectors)

    @property
    def dimension(self) -> int:
        """D."""
        return self._vectors.dimension

    def block(self, start: int, stop: int) -> Floats:
        """See `Vectors.block`."""
        first, last = np.searchsorted(self._rows, [start, min(stop, len(self))])
        block = np.array(self._vectors.block(start, stop))
        block[self._rows[first:last] - start] = self._replacements[first:last]
        return block

    def take(self, rows: Ints) -> Floats:
        """See `Vectors.take`."""
        taken = np.array(self._vectors.take(rows))
        replaced = np.isin(rows, self._rows)
        taken[replaced] = self._replacements[np.searchsorted(self._rows, rows[replaced])]
        return taken


class MovedDocuments:
    """An encoder whose vectors of one corpus are partly replaced; queries are encoded as before.

    Args:
        encoder: as it is.
        corpus: whose vectors are replaced.
        rows: (M,) ascending.
        replacements: (M, D).
        key: hash of what decides the replacements.
    """

    def __init__(self, encoder: Encoder, corpus: Corpus, rows: Ints, replacements: Floats, key: str) -> None:
        self._encoder, self._corpus, self._rows, self._replacements = encoder, corpus, rows, replacements
        self.fingerprint = digest(encoder.fingerprint, key)

    def vectors(self, texts: Sequence[str], side: Side) -> Vectors:
        """(N, D) vectors of queries, or of the corpus's documents in their order."""
        vectors = self._encoder.vectors(texts, side)
        if side == "query":
            return vectors
        assert len(texts) == len(self._corpus)
        return Replaced(vectors, self._rows, self._replacements)

    def encode_uncached(self, texts: Sequence[str], side: Side) -> Floats:
        """(n, D) vectors of queries."""
        return self._encoder.encode_uncached(texts, side)
