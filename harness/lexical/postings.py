"""How often each term stands in each document, term by term, of a collection larger than memory.

Documents are counted in runs: sorted by term, then document, so that a term's postings of two runs follow each other.
Runs beyond a share of the memory go to a file; at the end all are merged term by term.

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
"""Cut at once; with more, fewer words come again and again, and with still more that saves nothing."""
BYTES_OF_A_CHARACTER = 32
"""That cutting into pieces takes."""
BYTES_OF_A_TERM = 40
"""That sorting a run takes."""
BYTES_OF_A_POSTING = 48
"""That merging and weighing take."""
BYTES_OF_A_PIECE = 256
"""That a remembered piece takes: its bytes, its terms, its place in a table."""


@dataclass(frozen=True)
class Run:
    """Postings of some documents, by term, then document.

    Args:
        terms: (u,) the terms, ascending.
        counts: (u,) postings of each.
        documents: (p,) rows.
        frequencies: (p,) how often the term stands in each.
    """

    terms: Ints32
    counts: Ints32
    documents: Ints32
    frequencies: Ints32

    @property
    def arrays(self) -> tuple[Ints32, ...]:
        """In the order in which they are written."""
        return self.terms, self.counts, self.documents, self.frequencies

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays."""
        return sum(array.nbytes for array in self.arrays)


class Postings:
    """The postings of the documents added so far.

    Args:
        analyze: text → terms; an `Analyzer` that cuts texts into pieces is asked once for each distinct one.
        memory: what counting and merging may take.
        folder: where runs are written that do not fit, to a file that goes with the process; None takes the system's
            own.
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
        self._known: dict[bytes, tuple[int, ...]] = {}
        self._lengths: list[Ints32] = []
        self._pending: list[Ints32] = []
        self._counted = 0
        self._runs: list[Run] = []
        self._held = 0
        self._file: IO[bytes] | None = None

    def add(self, texts: Sequence[str]) -> None:
        """Analyses and counts some more documents."""
        start, room = 0, max(1, min(MOST_CHARACTERS, self._memory.working // 2 // BYTES_OF_A_CHARACTER))
        while start < len(texts):
            stop, characters = start, 0
            while stop < len(texts) and (stop == start or characters + len(texts[stop]) <= room):
                characters += len(texts[stop])
                stop += 1
            self._add(texts[start:stop])
            start = stop

    @property
    def lengths(self) -> Ints:
        """(N,) terms of each document, as often as they occur."""
        return np.concatenate([np.zeros(0, np.int64), *self._lengths])

    def frequencies(self) -> Ints:
        """(V,) documents that hold each term."""
        found = np.zeros(len(self.vocabulary), np.int64)
        for run in self._all():
            found[run.terms] += run.counts
        return found

    def merged(self) -> Iterator[Run]:
        """All postings by term, then document, so many at a time; of a term with very many, several runs follow each
        other.
        """
        most = max(1, self._memory.working // BYTES_OF_A_POSTING)
        runs = list(self._all())
        upto = np.cumsum(self.frequencies())
        first = 0
        while first < len(upto):
            before = int(upto[first - 1]) if first else 0
            last = max(first + 1, int(np.searchsorted(upto, before + most, side="right")))
            parts = [part for part in (_part(run, first, last) for run in runs) if len(part.terms)]
            if last == first + 1:
                yield from parts
            else:
                yield _merge(parts, np.diff(upto[first:last], prepend=before), first)
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
        """Term ids end to end, and the number of terms of each text."""
        known = self._known
        if len(known) * BYTES_OF_A_PIECE > self._memory.block:
            known.clear()
        for piece in pieces.distinct:
            if piece not in known:
                known[piece] = self._numbers(self._analyze(piece.decode("utf-8", "surrogatepass")))
        terms = [known[piece] for piece in pieces.distinct]
        counts = np.array([len(numbers) for numbers in terms], np.int32)
        flat = np.array([number for numbers in terms for number in numbers], np.int32)
        # Where each piece's terms begin; then one place for each term of each piece of the texts.
        each = counts[pieces.numbers]
        begins = (np.cumsum(counts) - counts)[pieces.numbers]
        upto = np.concatenate([[0], np.cumsum(each)])
        if len(counts) and counts.max() > 1:
            ids = flat[np.repeat(begins - upto[:-1], each) + np.arange(upto[-1])]
        else:
            ids = flat[begins[each > 0]]
        cuts = np.concatenate([[0], np.cumsum(pieces.counts)])
        return ids, np.diff(upto[cuts]).astype(np.int32)

    def _count(self) -> None:
        """Makes a run of what is pending."""
        ids = np.concatenate([np.zeros(0, np.int32), *self._pending])
        self._pending = []
        done = sum(map(len, self._lengths))
        lengths = np.concatenate([np.zeros(0, np.int32), *self._lengths])[self._counted :]
        if len(ids):
            held = done - self._counted
            keys = ids * np.int64(held)
            keys += np.repeat(np.arange(held), lengths)
            keys.sort()
            places = np.flatnonzero(np.diff(keys, prepend=-1))
            frequencies = np.diff(places, append=len(keys)).astype(np.int32)
            terms, documents = np.divmod(keys[places], held)
            firsts = np.flatnonzero(np.diff(terms, prepend=-1))
            counts = np.diff(firsts, append=len(terms)).astype(np.int32)
            self._keep(
                Run(terms[firsts].astype(np.int32), counts, (documents + self._counted).astype(np.int32), frequencies)
            )
        self._counted = done

    def _keep(self, run: Run) -> None:
        """Holds a run, or writes it where those held already take their share."""
        if self._held + run.nbytes <= self._memory.working:
            self._held += run.nbytes
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
        self._runs.append(Run(*written))

    def _all(self) -> list[Run]:
        if self._pending:
            self._count()
        return self._runs


def _whole(texts: Sequence[str]) -> None:
    """Where texts are not cut."""


def _part(run: Run, first: int, last: int) -> Run:
    """The postings of the terms from first to last."""
    start, stop = np.searchsorted(run.terms, [first, last]).tolist()
    before = int(run.counts[:start].sum(dtype=np.int64))
    counts = run.counts[start:stop]
    inside = slice(before, before + int(counts.sum(dtype=np.int64)))
    return Run(run.terms[start:stop], counts, run.documents[inside], run.frequencies[inside])


def _merge(parts: Sequence[Run], sizes: Ints, first: int) -> Run:
    """Runs of the same terms as one; `sizes` are the postings of each term from `first` on."""
    documents, frequencies = np.empty(int(sizes.sum()), np.int32), np.empty(int(sizes.sum()), np.int32)
    free = np.cumsum(sizes) - sizes
    for part in parts:
        own = np.cumsum(part.counts, dtype=np.int64) - part.counts
        places = np.repeat(free[part.terms - first] - own, part.counts)
        places += np.arange(len(part.documents))
        documents[places], frequencies[places] = part.documents, part.frequencies
        free[part.terms - first] += part.counts
    return Run(np.arange(first, first + len(sizes), dtype=np.int32), sizes.astype(np.int32), documents, frequencies)
