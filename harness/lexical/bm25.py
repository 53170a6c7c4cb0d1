"""BM25 on bm25s, with Lucene's formula, idf and one-byte document lengths.

Source: Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond" (2009), eq. 3.15, in the variant of
Lucene's `BM25Similarity`: idf = ln(1 + (N − df + ½)/(df + ½)), weight = idf · tf / (tf + k1 (1 − b + b · length/average)).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import bm25s
import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from harness.lexical.lengths import lucene_length
from harness.ranking import Floats, Ints, select


class LuceneBM25(bm25s.BM25):  # type: ignore[misc]
    """bm25s with Lucene's document lengths, its weights computed for the whole collection at once instead of per document."""

    def build_index_from_ids(
        self,
        unique_token_ids: Any,
        corpus_token_ids: Any,
        show_progress: bool = False,
        leave_progress: bool = False,
    ) -> dict[str, Any]:
        """The eager index of bm25s.

        Args:
            unique_token_ids: V term ids, 0 to V − 1.
            corpus_token_ids: a `TermIds`: the term ids of all documents end to end, and the (N,) lengths.
            show_progress: not used; nothing here is a loop.
            leave_progress: not used.

        Returns:
            The weight matrix (N, V) by columns, as bm25s holds it: data, indices, indptr, num_docs.
        """
        terms, lengths = corpus_token_ids.terms, corpus_token_ids.lengths
        shape = (len(lengths), len(unique_token_ids))
        documents = np.repeat(np.arange(shape[0], dtype=np.int32), lengths)
        ones = np.ones(len(terms), dtype=np.float32)
        counts = sp.coo_matrix((ones, (documents, terms)), shape=shape).tocsc()  # sums repeated terms
        counts.sort_indices()
        df = np.diff(counts.indptr)
        # As Lucene counts a field's documents: one without a term is not among them, in N and in the average length.
        held = max(int(np.count_nonzero(lengths)), 1)
        idf = np.log1p((held - df + 0.5) / (df + 0.5)).astype(np.float32)
        average = max(float(lengths.sum()) / held, 1e-9)
        norm = (self.k1 * (1 - self.b + self.b * lucene_length(lengths) / average)).astype(np.float32)
        tf = counts.data
        weights = np.repeat(idf, df) * (tf / (tf + norm[counts.indices]))
        return {
            "data": weights.astype(self.dtype),
            "indices": counts.indices.astype(self.int_dtype),
            "indptr": counts.indptr.astype(np.int64),
            "num_docs": shape[0],
        }


class TermIds:
    """Analysed documents: term ids end to end, and how many belong to each document.

    Args:
        analyze: text → terms.
    """

    def __init__(self, analyze: Callable[[str], list[str]]) -> None:
        self._analyze = analyze
        self.vocabulary: dict[str, int] = {}
        self._parts: list[npt.NDArray[np.int32]] = []
        self._lengths: list[int] = []

    def add(self, texts: Sequence[str]) -> None:
        """Analyses some more documents."""
        vocabulary, lengths = self.vocabulary, self._lengths
        ids: list[int] = []
        for text in texts:
            terms = self._analyze(text)
            lengths.append(len(terms))
            ids.extend([vocabulary.setdefault(term, len(vocabulary)) for term in terms])
        self._parts.append(np.asarray(ids, dtype=np.int32))

    @property
    def terms(self) -> npt.NDArray[np.int32]:
        """(T,) term ids of all documents."""
        return np.concatenate(self._parts) if self._parts else np.zeros(0, np.int32)

    @property
    def lengths(self) -> npt.NDArray[np.int64]:
        """(N,) number of terms of each document."""
        return np.asarray(self._lengths, dtype=np.int64)


class InvertedIndex:
    """A BM25 index that can be searched; made by `build`, kept by `save`, mapped back by `open`."""

    def __init__(self, model: LuceneBM25) -> None:
        self._model = model
        self._vocabulary: dict[str, int] = model.vocab_dict

    @classmethod
    def build(cls, terms: TermIds, *, k1: float, b: float) -> InvertedIndex:
        """Weighs all (term, document) pairs.

        Args:
            terms: the analysed documents.
            k1: saturation of term frequency, ≥ 0.
            b: strength of length normalisation, 0 to 1.
        """
        model = LuceneBM25(k1=k1, b=b, method="lucene")
        model.vocab_dict = terms.vocabulary
        model.unique_token_ids_set = None
        model.nonoccurrence_array = None
        model.scores = model.build_index_from_ids(range(len(terms.vocabulary)), terms)
        return cls(model)

    def save(self, folder: Path) -> None:
        """Writes the index to an empty folder, in bm25s' own format."""
        self._model.save(str(folder), show_progress=False)

    @classmethod
    def open(cls, folder: Path) -> InvertedIndex:
        """Memory-maps an index written by `save`."""
        return cls(LuceneBM25.load(str(folder), mmap=True, load_corpus=False))

    @property
    def nbytes(self) -> int:
        """Bytes of the weight matrix."""
        return sum(self._model.scores[name].nbytes for name in ("data", "indices", "indptr"))

    @property
    def size(self) -> tuple[int, int]:
        """Documents and distinct terms."""
        return int(self._model.scores["num_docs"]), len(self._vocabulary)

    def search(self, terms: list[str], id_order: npt.NDArray[np.int32], k: int) -> tuple[Ints, Floats]:
        """The k best documents that hold at least one of the terms; a repeated term counts as often as it occurs.

        Returns:
            Rows and scores in the documented order; empty where no term matches.
        """
        ids = [self._vocabulary[t] for t in terms if t in self._vocabulary]
        if not ids:
            return np.zeros(0, np.int64), np.zeros(0, np.float32)
        scores = self._model.get_scores_from_ids(ids)
        return _best(scores, id_order, k)

    def search_weighted(self, weights: Mapping[str, float], id_order: npt.NDArray[np.int32], k: int) -> tuple[Ints, Floats]:
        """The k best documents by Σ weight · BM25 weight over terms with weights above 0, as `search`."""
        held = self._model.scores
        scores = np.zeros(self.size[0], dtype=np.float64)
        for term, weight in weights.items():
            place = self._vocabulary.get(term)
            if place is not None:
                start, stop = held["indptr"][place], held["indptr"][place + 1]
                scores[held["indices"][start:stop]] += weight * held["data"][start:stop].astype(np.float64)
        return _best(scores.astype(np.float32), id_order, k)

    def share(self, term: str) -> float:
        """The share of the documents that hold a term, of those that hold any."""
        place = self._vocabulary.get(term)
        if place is None:
            return 0.0
        indptr = self._model.scores["indptr"]
        return float(indptr[place + 1] - indptr[place]) / self._holding

    @cached_property
    def _holding(self) -> int:
        """How many documents hold a term at all."""
        return int(np.count_nonzero(np.bincount(self._model.scores["indices"], minlength=1)))


def _best(scores: Floats, id_order: npt.NDArray[np.int32], k: int) -> tuple[Ints, Floats]:
    matched = np.flatnonzero(scores)  # every weight is above 0, so a score of 0 is no match
    return select(matched, scores[matched], id_order, k)
