"""One vector per query and one per document, of a local or a hosted encoder: searched, or scored as candidates."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np

from harness.data.corpus import Corpus
from harness.data.queries import Queries
from harness.data.ranking import Floats, Ints, TopK
from harness.indexes import Index, Vectors, inner, nearness, recall, share
from harness.indexes.exact import Exact, in_memory
from harness.methods import CandidateScorer, Searcher, Size
from harness.methods._searching import distinct
from harness.models.encoder import Side
from harness.runtime.context import Context

SAMPLE = 100
"""Queries on which an approximate index is compared with exact search."""
DEPTHS = (10, 100)


class Embedder(Protocol):
    """Texts → vectors."""

    @property
    def fingerprint(self) -> str:
        """Hash of everything that decides a vector."""
        ...

    def vectors(self, texts: Sequence[str], side: Side) -> Vectors:
        """(N, D) vectors, computed once and cached."""
        ...

    def encode_uncached(self, texts: Sequence[str], side: Side) -> Floats:
        """(n, D) vectors, computed without the cache if its time is measured."""
        ...


class VectorSearcher(Searcher):
    """Searches a corpus through an index.

    Args:
        kind: of the method, for the key.
        embedder: makes the vectors; an attribute too.
        weights: bytes of the model's weights and number of its parameters.
        live: see `Searcher.live`.
    """

    def __init__(
        self,
        kind: str,
        embedder: Embedder,
        index: Index,
        weights: Size,
        corpus: Corpus,
        context: Context,
        *,
        live: bool = True,
    ) -> None:
        vectors = embedder.vectors(corpus.texts, "document")
        self.embedder, self._context = embedder, context
        self._vectors, self._index, self._id_order = vectors, index, corpus.id_order
        self._nearest = index.build(vectors, corpus.id_order, context)
        self.key = f"{kind}-{embedder.fingerprint}-{index.fingerprint()}-{corpus.revision}"
        self.size = weights + Size(self._nearest.nbytes, dimensions=vectors.dimension)
        self.live = live

    def search(self, queries: Queries, k: int) -> TopK:
        """See `Searcher.search`."""
        return self.nearest(_queries(self.embedder, queries.texts, cached=queries.cached), k)

    def nearest(self, vectors: Floats, k: int) -> TopK:
        """The k documents nearest to each of (Q, D) vectors."""
        return self._nearest.search(vectors, k)

    def notes(self, queries: Queries) -> tuple[str, ...]:
        """See `missed`."""
        return self.missed(queries.texts, lambda texts: _queries(self.embedder, texts, cached=queries.cached))

    def missed(self, texts: Sequence[str], vectors: Callable[[Sequence[str]], Floats]) -> tuple[str, ...]:
        """A note on an approximate index: how many true neighbours it finds for a sample of queries.

        Args:
            texts: of the queries.
            vectors: texts of queries → (n, D), as they are searched with.
        """
        if self._index.exact or not len(texts):
            return ()
        sampled = vectors(texts[:: max(1, len(texts) // SAMPLE)][:SAMPLE])
        true = Exact().build(self._vectors, self._id_order, self._context).search(sampled, max(DEPTHS))
        tops = {k: self._nearest.search(sampled, k) for k in DEPTHS}
        recalled = {k: share(recall(top, true, k)) for k, top in tops.items()}
        near = {k: share(nearness(top, true, k)) for k, top in tops.items()}
        shares = " and ".join(f"{recalled[k]:.2%} of the true {k} nearest" for k in DEPTHS)
        note = f"{self._index} is approximate: it finds {shares} ({len(sampled)} of the queries)"
        if near != recalled:
            tied = " and ".join(f"{near[k]:.2%}" for k in DEPTHS)
            note += f"; {tied} if any document of the same score counts, but ids decide which of those are ranked"
        if not self._index.repeatable:
            note += "; built again it finds others"
        return (note,)


class VectorScorer(CandidateScorer):
    """Encodes only the candidates: the budget option for paid or slow encoders.

    Source: Kamalloo et al., "Evaluating Embedding APIs for Information Retrieval" (ACL 2023), section 4.
    """

    def __init__(
        self, embedder: Embedder, weights: Size, corpus: Corpus, context: Context, *, live: bool = True
    ) -> None:
        self._embedder, self._corpus, self._context = embedder, corpus, context
        self._rows: Ints = np.zeros(0, np.int64)
        self._vectors: Vectors | None = None
        self.size = weights
        self.live = live

    def scores(self, texts: Sequence[str], candidates: Sequence[Ints], *, cached: bool = True) -> list[Floats]:
        """See `CandidateScorer.scores`."""
        self._load(distinct(candidates))
        queries = _queries(self._embedder, texts, cached=cached)
        places = [np.searchsorted(self._rows, rows) for rows in candidates]
        scores: list[Floats] = []
        for query, own_places in zip(queries, places, strict=True):
            if self._vectors is None or not len(own_places):
                scores.append(np.zeros(0, np.float32))
            else:
                scores.append(inner(self._vectors.take(own_places), query))
        return scores

    def _load(self, rows: Ints) -> None:
        """Adds the vectors of these rows to those in memory."""
        if np.isin(rows, self._rows).all():
            return
        self._rows = np.union1d(self._rows, rows)
        self._vectors = None  # its memory is freed before more is allocated
        vectors = self._embedder.vectors(self._corpus.texts_of(self._rows), "document")
        self._vectors = in_memory(vectors, self._context.memory)

    def size_for(self, candidates: Sequence[Ints]) -> Size:
        """See `CandidateScorer.size_for`."""
        rows = distinct(candidates)
        self._load(rows)
        if self._vectors is None:  # no query had a candidate
            return self.size
        return self.size + Size(len(rows) * self._vectors.dimension * 4, dimensions=self._vectors.dimension)


def _queries(embedder: Embedder, texts: Sequence[str], *, cached: bool) -> Floats:
    if not cached:
        return embedder.encode_uncached(texts, "query")
    vectors = embedder.vectors(texts, "query")
    return vectors.block(0, len(vectors))
