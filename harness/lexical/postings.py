"""How often each term occurs in each document, term by term, for collections larger than memory.

Documents are counted in runs sorted by term, then document; the documents of a run follow those of the one before.
Runs beyond the memory budget are written to a file; at the end all are merged term by term.

Source: Heinz and Zobel, "Efficient single-pass index construction for text databases" (JASIST 2003).
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
import numpy.typing as npt

from harness.analyzers import Analyzer, Pieces
from harness.base.memory import Memory
from harness.data.ranking import Ints

Ints32 = npt.NDArray[np.int32]
MOST_CHARACTERS = 8 << 20
"""Characters cut at a time: with fewer, the same words are looked up more often; more save nothing."""
BYTES_OF_A_CHARACTER = 32
"""For cutting into pieces."""
BYTES_OF_A_TERM = 40
"""For sorting a run."""
BYTES_OF_A_POSTING = 48
"""For merging and weighting."""
BYTES_OF_A_PIECE = 256
"""For a cached piece: its bytes, its terms, its place in a table."""


@dataclass(frozen=True)
class PostingsRun:
    """Postings of some documents, by term, then document.

    Args:
        terms: (u,) the terms, ascending.
        counts: (u,) postings of each.
        documents: (p,) rows.
        frequencies: (p,) how often the term occurs in each.
    """

    terms: Ints32
    counts: Ints32
    documents: Ints32
    frequencies: Ints32

    @property
    def arrays(self) -> tuple[Ints32, ...]:
        """All arrays, in the order in which they are written."""
        return self.terms, self.counts, self.documents, self.frequencies

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays."""
        return sum(array.nbytes for array in self.arrays)


class Postings:
    """The postings of the documents added so far.

    Args:
        analyze: text → terms; an `Analyzer` that cuts texts into pieces is called once for each distinct piece.
        memory: budget of counting and merging.
        folder: of the temporary file for runs that do not fit; None takes the system's folder.
    """

    def __init__(
        self, analyze: Callable[[str], list[str]], memory: Memory | None = None, folder: Path | None = None
    ) -> None:
        self._analyze = analyze
        self._cut: Callable[[Sequence[str]], Pieces | None] = (
            analyze.pieces if isinstance(analyze, Analyzer) else _whole
        )
        self._memory = memory or Memory()
        self._folder = folder
        self.vocabulary: dict[str, int] = {}
        self._terms_of_pieces: dict[bytes, tuple[int, ...]] = {}
        self._lengths: list[Ints32] = []
        self._pending: list[Ints32] = []
        self._counted = 0
        self._runs: list[PostingsRun] = []
        self._bytes_in_memory = 0
        self._file: IO[bytes] | None = None

    def add(self, texts: Sequence[str]) -> None:
        """Analyses and counts more documents."""
        start, budget = 0, max(1, min(MOST_CHARACTERS, self._memory.working // 2 // BYTES_OF_A_CHARACTER))
        while start < len(texts):
            stop, characters = start, 0
            while stop < len(texts) and (stop == start or characters + len(texts[stop]) <= budget):
                characters += len(texts[stop])
                stop += 1
            self._add(texts[start:stop])
            start = stop

    @property
    def lengths(self) -> Ints:
        """(N,) number of terms of each document."""
        return np.concatenate([np.zeros(0, np.int64), *self._lengths])

    def frequencies(self) -> Ints:
        """(V,) number of documents that contain each term."""
        totals = np.zeros(len(self.vocabulary), np.int64)
        for run in self._all():
            totals[run.terms] += run.counts
        return totals

    def merged(self) -> Iterator[PostingsRun]:
        """All postings by term, then document, as runs that fit into memory; a very frequent term takes several."""
        most = max(1, self._memory.working // BYTES_OF_A_POSTING)
        runs = list(self._all())
        ends = np.cumsum(self.frequencies())
        first = 0
        while first < len(ends):
            before = int(ends[first - 1]) if first else 0
            last = max(first + 1, int(np.searchsorted(ends, before + most, side="right")))
            of_terms = [_part(run, first, last) for run in runs]
            parts = [part for part in of_terms if len(part.terms)]
            if last == first + 1:
                yield from parts
            else:
                yield _merge(parts, np.diff(ends[first:last], prepend=before), first)
            first = last

    def _add(self, texts: Sequence[str]) -> None:
        pieces = self._cut(texts)
        if pieces is None:
            analysed = [self._numbers(self._analyze(text)) for text in texts]
            lengths = np.array([len(numbers) for numbers in analysed], np.int32)
            ids = np.array([number for numbers in analysed for number in numbers], np.int32)
        else:
            ids, lengths = self._of_pieces(pieces)
        self._lengths.append(lengths)
        self._pending.append(ids)
        if sum(map(len, self._pending)) * BYTES_OF_A_TERM > self._memory.block:
            self._count()

    def _numbers(self, terms: list[str]) -> tuple[int, ...]:
        vocabulary = self.vocabulary
        return tuple([vocabulary.setdefault(term, len(vocabulary)) for term in terms])

    def _of_pieces(self, pieces: Pieces) -> tuple[Ints32, Ints32]:
        """(T,) term ids of all texts, end to end, and (N,) the number of terms of each text."""
        known = self._terms_of_pieces
        if len(known) * BYTES_OF_A_PIECE > self._memory.block:
            known.clear()
        for piece in pieces.distinct:
            if piece not in known:
                known[piece] = self._numbers(self._analyze(piece.decode("utf-8", "surrogatepass")))
        terms = [known[piece] for piece in pieces.distinct]
        counts = np.array([len(numbers) for numbers in terms], np.int32)
        flat = np.array([number for numbers in terms for number in numbers], np.int32)
        # For each occurrence of a piece: its number of terms, and where these begin in `flat`.
        sizes = counts[pieces.numbers]
        begins = (np.cumsum(counts) - counts)[pieces.numbers]
        offsets = np.concatenate([[0], np.cumsum(sizes)])
        if len(counts) and counts.max() > 1:
            ids = flat[np.repeat(begins - offsets[:-1], sizes) + np.arange(offsets[-1])]
        else:
            ids = flat[begins[sizes > 0]]
        cuts = np.concatenate([[0], np.cumsum(pieces.counts)])
        return ids, np.diff(offsets[cuts]).astype(np.int32)

    def _count(self) -> None:
        """Makes a run of the pending documents: their (term, document) keys are sorted, and equal keys counted."""
        ids = np.concatenate([np.zeros(0, np.int32), *self._pending])
        self._pending = []
        done = sum(map(len, self._lengths))
        lengths = np.concatenate([np.zeros(0, np.int32), *self._lengths])[self._counted :]
        if len(ids):
            number = done - self._counted
            keys = ids * np.int64(number)
            keys += np.repeat(np.arange(number), lengths)
            keys.sort()
            places = np.flatnonzero(np.diff(keys, prepend=-1))
            frequencies = np.diff(places, append=len(keys)).astype(np.int32)
            terms, documents = np.divmod(keys[places], number)
            firsts = np.flatnonzero(np.diff(terms, prepend=-1))
            counts = np.diff(firsts, append=len(terms)).astype(np.int32)
            rows = (documents + self._counted).astype(np.int32)
            self._store(PostingsRun(terms[firsts].astype(np.int32), counts, rows, frequencies))
        self._counted = done

    def _store(self, run: PostingsRun) -> None:
        """Stores a run in memory, or in the file if the budget is used up."""
        if self._bytes_in_memory + run.nbytes <= self._memory.working:
            self._bytes_in_memory += run.nbytes
            self._runs.append(run)
            return
        if self._file is None:
            self._file = tempfile.TemporaryFile(dir=self._folder)  # noqa: SIM115 (it lives as long as the runs)
        written = []
        for array in run.arrays:
            place = self._file.seek(0, 2)
            array.tofile(self._file)
            self._file.flush()
            written.append(np.memmap(self._file, np.int32, "r", offset=place, shape=array.shape))
        self._runs.append(PostingsRun(*written))

    def _all(self) -> list[PostingsRun]:
        if self._pending:
            self._count()
        return self._runs


def _whole(texts: Sequence[str]) -> None:
    """For an analyser that does not cut texts into pieces."""


def _part(run: PostingsRun, first: int, last: int) -> PostingsRun:
    """The postings of the terms from first to last."""
    start, stop = np.searchsorted(run.terms, [first, last]).tolist()
    before = int(run.counts[:start].sum(dtype=np.int64))
    counts = run.counts[start:stop]
    inside = slice(before, before + int(counts.sum(dtype=np.int64)))
    return PostingsRun(run.terms[start:stop], counts, run.documents[inside], run.frequencies[inside])


def _merge(parts: Sequence[PostingsRun], sizes: Ints, first: int) -> PostingsRun:
    """Runs of the same terms as one; `sizes` are the postings of each term from `first` on."""
    documents, frequencies = np.empty(int(sizes.sum()), np.int32), np.empty(int(sizes.sum()), np.int32)
    free = np.cumsum(sizes) - sizes  # the next free place of each term
    for part in parts:
        begins = np.cumsum(part.counts, dtype=np.int64) - part.counts
        places = np.repeat(free[part.terms - first] - begins, part.counts)
        places += np.arange(len(part.documents))
        documents[places], frequencies[places] = part.documents, part.frequencies
        free[part.terms - first] += part.counts
    return PostingsRun(
        np.arange(first, first + len(sizes), dtype=np.int32), sizes.astype(np.int32), documents, frequencies
    )
