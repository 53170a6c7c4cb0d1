"""Documents cut into passages: a corpus of its own, and which document each passage is of."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from harness.cache.code import code_of
from harness.data.corpus import Corpus
from harness.data.corpus_file import write_corpus
from harness.data.documents import Document
from harness.data.ranking import Ints
from harness.endpoints.journal import digest
from harness.runtime.build_once import build_once
from harness.runtime.context import Context

_WORD: Final = re.compile(r"\S+")
_CORPUS, _ROWS = "corpus.arrow", "documents.npy"


@dataclass(frozen=True)
class Passages:
    """The passages of N documents.

    Args:
        corpus: P passages, those of a document one after the other; the id of one begins with the place of its document
            in the order of ids, so that ties between passages are broken as between their documents.
        documents: (P,) ascending row of the document that each is of.
    """

    corpus: Corpus
    documents: Ints

    @property
    def cut(self) -> int:
        """How many documents have more than one passage."""
        return int((np.unique(self.documents, return_counts=True)[1] > 1).sum())

    def of(self, rows: Ints) -> tuple[Ints, Ints]:
        """Passages of some documents, and for each the place of its document in `rows`."""
        starts, ends = (np.searchsorted(self.documents, rows, side) for side in ("left", "right"))
        counts = ends - starts
        owners = np.repeat(np.arange(len(rows)), counts)
        inside = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        return np.repeat(starts, counts) + inside, owners


def passages_of(corpus: Corpus, words: int, overlap: int, context: Context) -> Passages:
    """The passages of a corpus, cached by its content; a document of up to `words` words is one passage.

    Args:
        corpus: of the documents.
        words: of a passage, separated by white space.
        overlap: words that a passage has in common with the one before; fewer than `words`.
        context: its cache.
    """
    deciding = {"corpus": corpus.revision, "words": words, "overlap": overlap, "code": code_of(__name__)}

    def build(folder: Path) -> None:
        owners: list[int] = []
        write_corpus(folder / _CORPUS, _cut(corpus, words, overlap, owners), "the passages")
        np.save(folder / _ROWS, np.array(owners, np.int64))

    folder = build_once(context, "passages", digest(deciding), deciding, build)
    return Passages(Corpus.open(folder / _CORPUS), np.load(folder / _ROWS, allow_pickle=False))


def _cut(corpus: Corpus, words: int, overlap: int, owners: list[int]) -> Iterator[Document]:
    """The passages in the order of the documents; `owners` gets the row of each one's document."""
    last, width = len(corpus) - 1, len(str(len(corpus)))
    row = 0
    for batch in corpus.batches():
        for document in batch:
            place = last - int(corpus.id_order[row])  # in the ascending order of ids
            for number, text in enumerate(pieces(document.text, words, overlap)):
                owners.append(row)
                yield Document(f"{place:0{width}d}-{number:06d}", document.title, text)
            row += 1


def pieces(text: str, words: int, overlap: int) -> list[str]:
    """A text in pieces of `words` words, each with the last `overlap` words of the one before; nothing else is changed.

    The last piece has new words, and may be shorter.
    """
    spans = [match.span() for match in _WORD.finditer(text)]
    if len(spans) <= words:
        return [text]
    starts = range(0, len(spans) - overlap, words - overlap)
    return [text[spans[i][0] : spans[min(i + words, len(spans)) - 1][1]] for i in starts]
