"""BM25 on bm25s, with Lucene's formula, idf and one-byte document lengths.

Source: Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond" (2009), eq. 3.15, in the
variant of Lucene's `BM25Similarity`: idf = ln(1 + (N − df + ½)/(df + ½)), weight = idf · tf / (tf + k1 (1 − b + b ·
length/average)).
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import bm25s
import numpy as np
import numpy.typing as npt

from harness.data.ranking import Floats, Ints, select
from harness.lexical.lengths import lucene_length
from harness.lexical.postings import Postings

_FILES = {"data": "data.csc.index.npy", "indices": "indices.csc.index.npy", "indptr": "indptr.csc.index.npy"}
"""Names that bm25s gives the arrays of its weight matrix, (N, V) by columns."""
_BLOCK = 1 << 20
SAMPLE = 4096
SPARSE = 16
"""A search sorts only the matched documents if they are fewer than one in `SPARSE`, else scans the sums of all."""


class InvertedIndex:
    """A BM25 index: `build` makes it, `save` writes it, `open` maps it from disk."""

    def __init__(self, model: bm25s.BM25) -> None:
        self._model = model
        self._vocabulary: dict[str, int] = model.vocab_dict
        # Views without the class of a memory map, whose slicing takes longer than adding a short list.
        self._arrays = tuple(np.asarray(model.scores[name]) for name in ("indptr", "indices", "data"))
        self._buffer: Floats | None = None

    @classmethod
    def build(cls, postings: Postings, *, k1: float, b: float) -> InvertedIndex:
        """Computes the weights of all (term, document) pairs in memory.

        Args:
            postings: of the analysed documents.
            k1: saturation of term frequency, ≥ 0.
            b: strength of length normalisation, 0 to 1.
        """
        blocks = list(_weighted_postings(postings, k1, b))
        scores = {
            "data": np.concatenate([np.zeros(0, np.float32), *(weights for weights, _ in blocks)]),
            "indices": np.concatenate([np.zeros(0, np.int32), *(documents for _, documents in blocks)]),
            "indptr": _starts(postings),
        }
        return cls(_model(postings, k1, b, scores))

    @staticmethod
    def write(folder: Path, postings: Postings, *, k1: float, b: float) -> None:
        """As `build` and `save`, with weights written as they are computed: only one block is in memory."""
        indptr = _starts(postings)
        empty = {"data": np.zeros(0, np.float32), "indices": np.zeros(0, np.int32), "indptr": indptr}
        _model(postings, k1, b, empty).save(str(folder), show_progress=False)
        with open(folder / _FILES["data"], "wb") as data, open(folder / _FILES["indices"], "wb") as indices:
            for file, kind in ((data, np.float32), (indices, np.int32)):
                header = {"descr": np.dtype(kind).str, "fortran_order": False, "shape": (int(indptr[-1]),)}
                np.lib.format.write_array_header_1_0(file, header)
            for weights, documents in _weighted_postings(postings, k1, b):
                data.write(weights.data)
                indices.write(documents.data)

    def save(self, folder: Path) -> None:
        """Writes the index to an empty folder, in bm25s' own format."""
        self._model.save(str(folder), show_progress=False)

    @classmethod
    def open(cls, folder: Path) -> InvertedIndex:
        """Memory-maps an index written by `save`."""
        return cls(bm25s.BM25.load(str(folder), mmap=True, load_corpus=False))

    @property
    def nbytes(self) -> int:
        """Bytes of the weight matrix."""
        return sum(self._model.scores[name].nbytes for name in ("data", "indices", "indptr"))

    @property
    def size(self) -> tuple[int, int]:
        """Documents and distinct terms."""
        return int(self._model.scores["num_docs"]), len(self._vocabulary)

    def search(self, terms: list[str], id_order: npt.NDArray[np.int32], k: int) -> tuple[Ints, Floats]:
        """The k best documents with at least one of the terms; a repeated term counts as often as it occurs.

        Returns:
            Rows and scores in the documented order; empty if no term matches.
        """
        ids = [self._vocabulary[t] for t in terms if t in self._vocabulary]
        if not ids:
            return np.zeros(0, np.int64), np.zeros(0, np.float32)
        indptr, indices, data = self._arrays
        cuts = [(int(indptr[i]), int(indptr[i + 1])) for i in ids]
        with self._sums() as scores:
            for start, stop in cuts:
                # A term lists each document once, so that += adds to each, in the order of the query's terms.
                scores[indices[start:stop]] += data[start:stop]
            if sum(stop - start for start, stop in cuts) * SPARSE < len(scores):
                matched = np.sort(np.concatenate([indices[start:stop] for start, stop in cuts]))
                matched = matched[np.flatnonzero(np.diff(matched, prepend=-1))]
                ranking = select(matched, scores[matched], id_order, k)
                scores[matched] = 0
            else:
                ranking = _best(scores, id_order, k)
                scores.fill(0)
        return ranking

    @contextlib.contextmanager
    def _sums(self) -> Iterator[Floats]:
        """(N,) zeros, which the caller resets to zero: allocating them costs more than a search."""
        buffer, self._buffer = self._buffer, None
        scores: Floats = np.zeros(self.size[0], np.float32) if buffer is None else buffer
        yield scores
        self._buffer = scores

    def search_weighted(
        self, weights: Mapping[str, float], id_order: npt.NDArray[np.int32], k: int
    ) -> tuple[Ints, Floats]:
        """The k best documents by Σ weight · BM25 weight over terms with weights above 0, as `search`."""
        indptr, indices, data = self._arrays
        scores = np.zeros(self.size[0], dtype=np.float64)
        for term, weight in weights.items():
            place = self._vocabulary.get(term)
            if place is not None:
                start, stop = indptr[place], indptr[place + 1]
                scores[indices[start:stop]] += weight * data[start:stop].astype(np.float64)
        return _best(scores.astype(np.float32), id_order, k)

    def share(self, term: str) -> float:
        """The share of the documents with any term that contain this one."""
        place = self._vocabulary.get(term)
        if place is None:
            return 0.0
        indptr = self._model.scores["indptr"]
        return float(indptr[place + 1] - indptr[place]) / self._non_empty

    @cached_property
    def _non_empty(self) -> int:
        """Number of documents with at least one term."""
        has_term, indices = np.zeros(self.size[0], np.bool_), self._model.scores["indices"]
        for start in range(0, len(indices), _BLOCK):
            has_term[indices[start : start + _BLOCK]] = True
        return int(np.count_nonzero(has_term))


def _model(postings: Postings, k1: float, b: float, scores: dict[str, Any]) -> bm25s.BM25:
    model = bm25s.BM25(k1=k1, b=b, method="lucene")
    model.vocab_dict = postings.vocabulary
    model.unique_token_ids_set = None
    model.nonoccurrence_array = None
    model.scores = {**scores, "num_docs": len(postings.lengths)}
    return model


def _starts(postings: Postings) -> Ints:
    """(V + 1,) where each term's postings begin."""
    return np.concatenate([[0], np.cumsum(postings.frequencies())]).astype(np.int64)


def _weighted_postings(postings: Postings, k1: float, b: float) -> Iterator[tuple[Floats, npt.NDArray[np.int32]]]:
    """The weights of all postings and their documents, by term, then document, in blocks."""
    lengths, df = postings.lengths, postings.frequencies()
    # As in Lucene, documents without a term count neither in N nor in the average length.
    n = max(int(np.count_nonzero(lengths)), 1)
    idf = np.log1p((n - df + 0.5) / (df + 0.5)).astype(np.float32)
    average = max(float(lengths.sum()) / n, 1e-9)
    norm = (k1 * (1 - b + b * lucene_length(lengths) / average)).astype(np.float32)
    for run in postings.merged():
        tf = run.frequencies.astype(np.float32)
        weights: Floats = np.repeat(idf[run.terms], run.counts) * (tf / (tf + norm[run.documents]))
        yield weights, np.ascontiguousarray(run.documents)


def _best(scores: Floats, id_order: npt.NDArray[np.int32], k: int) -> tuple[Ints, Floats]:
    """The k best of (N,) scores above 0. A sample gives a score that nearly always slightly more than k reach, so that
    few have to be sorted; if fewer than k reach it, all matches are.
    """
    every = max(1, len(scores) // SAMPLE)
    sample = scores[::every]
    # The k-th of all has about rank k / every in the sample; three standard deviations more make it safe.
    rank = int(k / every + 3 * math.sqrt(k / every)) + 3 if every > 1 else k
    least = np.float32(0)
    if rank < len(sample):
        least = np.partition(sample, len(sample) - rank)[len(sample) - rank]
    candidates = np.flatnonzero(scores >= least) if least > 0 else np.zeros(0, np.int64)
    if len(candidates) < k:
        candidates = np.flatnonzero(scores > 0)  # every weight is above 0, so a score of 0 is no match
    return select(candidates, scores[candidates], id_order, k)
