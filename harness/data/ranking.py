"""Rankings: one documented order, decided in one place.

Order: score descending, then document id descending (bytes of UTF-8), as trec_eval breaks ties. It decides which
documents are in the top k, not only how they are printed. A query without results has an empty ranking, which scores
0.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from harness.data.corpus import Corpus
from harness.data.queries import Labelled, Queries

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
QUERIES_AT_ONCE = 64


@dataclass(frozen=True)
class TopK:
    """The best k documents of Q queries.

    Args:
        indices: (Q, k) int64 rows of the corpus, best first; −1 pads a short ranking.
        scores: (Q, k) float32, in the order of `indices`; −inf where padded.
    """

    indices: Ints
    scores: Floats

    def __post_init__(self) -> None:
        if self.indices.shape != self.scores.shape or self.indices.ndim != 2:
            raise ValueError(f"indices {self.indices.shape} and scores {self.scores.shape} must both be (Q, k)")

    @property
    def depth(self) -> int:
        """k, the number of columns."""
        return int(self.indices.shape[1])

    def cut(self, k: int) -> TopK:
        """The best k of each query."""
        return self if k >= self.depth else TopK(self.indices[:, :k], self.scores[:, :k])

    def rows(self) -> Iterator[tuple[Ints, Floats]]:
        """Per query, the unpadded indices and scores."""
        for indices, scores in zip(self.indices, self.scores, strict=True):
            is_document = indices >= 0
            yield indices[is_document], scores[is_document]


def select(candidates: Ints, scores: Floats, id_order: npt.NDArray[np.int32], k: int) -> tuple[Ints, Floats]:
    """The best k of one query's candidates in the documented order.

    Args:
        candidates: (M,) rows of the corpus.
        scores: (M,) their scores.
        id_order: (N,) `Corpus.id_order`.
        k: length of the result.
    """
    if len(candidates) > k:
        # All candidates tied with the k-th score stay until their ids decide.
        threshold = np.partition(scores, len(scores) - k)[len(scores) - k]
        near = scores >= threshold
        candidates, scores = candidates[near], scores[near]
    order = _order(scores, id_order[candidates])[:k]
    return candidates[order].astype(np.int64), scores[order].astype(np.float32)


def _order(scores: npt.NDArray[np.floating], places: npt.NDArray[np.int32]) -> npt.NDArray[np.intp]:
    """Positions by descending score, then ascending place; places are distinct.

    Both are packed into one integer, since sorting integers takes a tenth of the time: the bits of a float32 (inverted
    for a negative one) ascend with its value.
    """
    if scores.dtype != np.float32 or np.isnan(scores).any():
        return np.lexsort((places, -scores))
    bits = (scores + np.float32(0)).view(np.int32)  # −0 is 0
    falling = np.where(bits < 0, bits.view(np.uint32), ~bits.view(np.uint32) & np.uint32(0x7FFFFFFF))
    return np.argsort(falling.astype(np.uint64) << np.uint64(32) | places.astype(np.uint64))


def stack(rankings: list[tuple[Ints, Floats]], k: int) -> TopK:
    """Pads per-query rankings (each already in order, at most k long) into one `TopK`."""
    indices = np.full((len(rankings), k), -1, dtype=np.int64)
    scores = np.full((len(rankings), k), -np.inf, dtype=np.float32)
    for row, (documents, values) in enumerate(rankings):
        indices[row, : len(documents)] = documents
        scores[row, : len(values)] = values
    return TopK(indices, scores)


def without_own(split: Labelled, top: TopK, corpus: Corpus, k: int) -> TopK:
    """The best k of each query of a split, without the document that is the query itself (`Labelled.drop_self`).

    Args:
        split: Q queries, in the order of `top`.
        top: their best documents, `split.search_depth(k)` of them.
        corpus: what the indices point into.
        k: length of each result.
    """
    return _without_own(split.queries, top, corpus, split.drop_self, k)


def own_rows(split: Labelled, corpus: Corpus) -> Ints:
    """(Q,) row of the document that is the query itself, for each query of a split; −1 if there is none."""
    rows = np.full(len(split.queries), -1, np.int64)
    places = [place for place, query in enumerate(split.queries.ids) if query in split.drop_self]
    if places:
        rows[places] = corpus.rows([split.queries.ids[place] for place in places])
    return rows


def _without_own(queries: Queries, top: TopK, corpus: Corpus, drop_self: frozenset[str], k: int) -> TopK:
    if not drop_self:
        return top.cut(k)
    rankings = []
    for row, (indices, scores) in zip(own_rows(Labelled(queries, {}, drop_self), corpus), top.rows(), strict=True):
        others = indices != row
        rankings.append((indices[others][:k], scores[others][:k]))
    return stack(rankings, k)


@dataclass(frozen=True)
class Run:
    """A frozen ranking per query, which is scored and written to a TREC file.

    Build it with `Run.of_split`, which applies the rule for queries that are documents; `Run.of` is for queries of no
    split.
    """

    queries: Queries
    top: TopK
    corpus: Corpus

    @classmethod
    def of(
        cls, queries: Queries, top: TopK, corpus: Corpus, drop_self: frozenset[str] = frozenset(), k: int | None = None
    ) -> Run:
        """Freezes a ranking.

        Args:
            queries: Q queries, in the order of `top`.
            top: their best documents; one deeper than `k` if `drop_self` is not empty, so that the list stays full.
            corpus: what the indices point into.
            drop_self: ids of queries that are themselves documents; each is removed from its own ranking.
            k: depth of the run after the removal.
        """
        k = top.depth if k is None else k
        return cls(queries, _without_own(queries, top, corpus, drop_self, k), corpus)

    @classmethod
    def of_split(cls, split: Labelled, top: TopK, corpus: Corpus, k: int) -> Run:
        """Freezes the ranking of a split's queries without the documents that are the queries themselves.

        Args:
            split: Q queries, in the order of `top`.
            top: their best documents, `split.search_depth(k)` of them.
            corpus: what the indices point into.
            k: depth of the run.
        """
        return cls(split.queries, without_own(split, top, corpus, k), corpus)

    def __iter__(self) -> Iterator[tuple[str, list[str], list[float]]]:
        """Per query: its id, the document ids best first, their scores."""
        rankings = zip(self.queries.ids, self.top.rows(), strict=True)
        # Ids are looked up for many queries at once: each look-up goes through all parts of the corpus.
        while block := list(itertools.islice(rankings, QUERIES_AT_ONCE)):
            names = iter(self.corpus.ids(np.concatenate([indices for _, (indices, _) in block])))
            for query, (indices, scores) in block:
                yield query, list(itertools.islice(names, len(indices))), [float(s) for s in scores]

    def scores(self) -> dict[str, dict[str, float]]:
        """Query id → document id → score, as ir-measures and pytrec_eval take it."""
        return {query: dict(zip(ids, scores, strict=True)) for query, ids, scores in self}
