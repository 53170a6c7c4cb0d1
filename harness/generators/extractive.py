"""Titles, sentences and keyword queries taken from the documents themselves: needs no model."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from annotated_types import MinLen

from harness.analyzers.english import English
from harness.analyzers.standard import Standard
from harness.base.errors import SettingError
from harness.choices.bounds import Count
from harness.data.corpus import Corpus
from harness.data.documents import Document, joined
from harness.data.ranking import Floats
from harness.data.text import sentences
from harness.endpoints.journal import digest
from harness.generators import Generator, Question, plain, tidy
from harness.runtime.context import Context

KINDS = ("title", "sentence", "phrase")
COUNTED_DOCUMENTS = 100_000
"""At most so many documents, evenly spread, are read for document frequencies."""
WINDOW_PER_KEYWORD = 3
"""A keyword query is drawn from so many words of the document for each of its keywords."""


@dataclass(frozen=True)
class Extractive(Generator):
    """Parts of a document as questions that it answers: its title, some of its sentences, its most informative words.

    Sources: pseudo-queries from a passage's own sentences are the inverse cloze task of Lee et al. (1906.00300),
    section 4; a keyword query has the words of highest tf · idf of a window (Salton and Buckley, "Term-weighting
    approaches in automatic text retrieval", 1988), with the idf of Lucene's BM25, ln(1 + (N − df + ½)/(df + ½)). The
    kinds take turns. Each document has its own random stream for the choice of sentences and windows, so that its
    questions do not depend on the other requested documents.

    Args:
        per_document: questions of each document.
        kinds: of `title`, `sentence`, `phrase`, in the order they take turns.
        min_words: of a sentence.
        max_words: of a sentence.
        keywords: of a keyword query.
    """

    per_document: Count = 3
    kinds: Annotated[tuple[Literal["title", "sentence", "phrase"], ...], MinLen(1)] = ("title", "sentence", "phrase")
    min_words: Count = 4
    max_words: Count = 40
    keywords: Count = 4

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(set(self.kinds)) < len(self.kinds):
            raise SettingError(f"extractive: kinds must name each kind once, not {self.kinds}")
        if self.min_words > self.max_words:
            message = f"min_words must be at most max_words ({self.max_words}), not {self.min_words}"
            raise SettingError(f"extractive: {message}")

    def generate(self, corpus: Corpus, rows: Sequence[int], context: Context) -> Iterator[Question]:
        """See `Generator.generate`."""
        frequencies = _frequencies(corpus, context) if "phrase" in self.kinds else None
        with context.progress("generate", len(rows), "passages") as advance:
            for row in rows:
                document = corpus[row]
                rng = context.rng(f"generate extractive {digest(document.title, document.text)}")
                for origin, text in self._chosen(document, frequencies, rng):
                    yield Question(text, row, origin)
                advance()

    def _chosen(
        self, document: Document, frequencies: _Frequencies | None, rng: np.random.Generator
    ) -> Iterator[tuple[str, str]]:
        """At most `per_document` (kind, text), the kinds in turn, none twice and none the whole document."""
        shuffled: list[tuple[str, list[str]]] = []
        for kind in self.kinds:
            candidates = self._candidates(kind, document, frequencies)
            shuffled.append((kind, [candidates[i] for i in rng.permutation(len(candidates))]))
        seen = {"", plain(joined(document.title, document.text))}
        left = self.per_document
        while left and any(texts for _, texts in shuffled):
            for origin, texts in shuffled:
                while texts and plain(texts[-1]) in seen:
                    texts.pop()
                if texts and left:
                    seen.add(plain(texts[-1]))
                    left -= 1
                    yield origin, texts.pop()

    def _candidates(self, kind: str, document: Document, frequencies: _Frequencies | None) -> list[str]:
        if kind == "title":
            return [tidy(document.title)]
        if kind == "sentence":
            tidied = map(tidy, sentences(document.text))
            return [text for text in tidied if self.min_words <= len(text.split()) <= self.max_words]
        assert frequencies is not None
        return phrases(document.text, frequencies, self.keywords, 2 * self.per_document)


class _Frequencies:
    """How many of N documents contain a term.

    Args:
        corpus: of which at most `COUNTED_DOCUMENTS` are read.
    """

    def __init__(self, corpus: Corpus) -> None:
        analyze = English()
        self.documents = min(len(corpus), COUNTED_DOCUMENTS)
        texts = corpus.texts_of(np.linspace(0, len(corpus) - 1, self.documents).astype(np.int64))
        self._containing: Counter[str] = Counter()
        for start in range(0, self.documents, 4096):
            for text in texts[start : start + 4096]:
                self._containing.update(set(analyze(text)))

    def idf(self, term: str) -> float:
        """ln(1 + (N − df + ½)/(df + ½)), above 0."""
        containing = self._containing[term]
        return float(np.log1p((self.documents - containing + 0.5) / (containing + 0.5)))


def _frequencies(corpus: Corpus, context: Context) -> _Frequencies:
    return context.ledger.once(
        "index", "count terms", f"document frequencies {corpus.revision}", lambda: _Frequencies(corpus)
    )


def phrases(text: str, frequencies: _Frequencies, keywords: int, most: int) -> list[str]:
    """Keyword queries from windows that do not overlap, highest tf · idf first; their words are in document order.

    Args:
        text: of the document, without its title.
        frequencies: of the corpus.
        keywords: distinct terms in a query.
        most: windows to take.
    """
    # Only words that remain as one term: stop words have none, single letters say little.
    words: list[str] = []
    terms: list[str] = []
    for word in Standard()(text):
        analyzed = _term(word)
        if analyzed and len(word) > 1:
            words.append(word)
            terms.append(analyzed[0])
    weight = {term: count * frequencies.idf(term) for term, count in Counter(terms).items()}
    width = keywords * WINDOW_PER_KEYWORD
    starts = range(max(1, len(terms) - width + 1))
    picked = [_weightiest(terms[start : start + width], weight, keywords) for start in starts]
    totals: Floats = np.zeros(len(starts), dtype=np.float32)
    for start, places in zip(starts, picked, strict=True):
        totals[start] = sum(weight[terms[start + place]] for place in places)
    queries: list[str] = []
    taken: list[int] = []
    for start in np.argsort(-totals, kind="stable").tolist():
        if len(queries) == most:
            break
        overlaps = any(abs(start - other) < width for other in taken)
        if picked[start] and not overlaps:
            taken.append(start)
            queries.append(" ".join(words[start + place] for place in picked[start]))
    return queries


def _weightiest(window: Sequence[str], weight: Mapping[str, float], keywords: int) -> list[int]:
    """Positions in the window of the first occurrences of its weightiest terms, in order."""
    first: dict[str, int] = {}
    for place, term in enumerate(window):
        first.setdefault(term, place)
    by_weight = sorted(first.values(), key=lambda place: (-weight[window[place]], place))
    return sorted(by_weight[:keywords])


@functools.lru_cache(maxsize=2**16)
def _term(word: str) -> list[str]:
    return English()(word)
