"""Lucene's EnglishAnalyzer, the analyser that Anserini and Pyserini use by default."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Final

from harness.analyzers import Analyzer, Pieces
from harness.analyzers._pieces import cut
from harness.analyzers._porter import stem as porter_stem
from harness.analyzers._uax29 import tokenize
from harness.analyzers.standard import lowercase

_STOP_WORDS: Final = """
    a an and are as at be but by for if in into is it no not of on or such that the their then there these they this
    to was will with
"""
STOP_WORDS: Final = frozenset(_STOP_WORDS.split())
"""The words that Lucene leaves out of English text by default."""

# Number of tokens whose terms are cached. Words repeat so often that these cover nearly all of a large corpus, in some
# tens of megabytes.
_CACHED_TOKENS: Final = 2**17


@dataclass(frozen=True)
class English(Analyzer):
    """Turn English text into the terms that Lucene's EnglishAnalyzer gives.

    These are words by Unicode's rules, without a possessive `'s`, in lower case, without stop words, and stemmed
    by Porter's algorithm. The terms are equal to those of Lucene 9, so that scores computed from them can be compared
    with Anserini's; `benchmarks/lucene_terms.py` compares the two.
    """

    stop: bool = True
    """Whether to leave out `STOP_WORDS`."""
    stem: bool = True
    """Whether to stem."""

    def __call__(self, text: str) -> list[str]:
        """Return the terms of `text`, in order, as often as they occur."""
        return list(filter(None, map(_term_of(self.stop, self.stem), tokenize(text))))

    def pieces(self, texts: Sequence[str]) -> Pieces:
        """See `Analyzer.pieces`."""
        return cut(texts)


@cache
def _term_of(stop: bool, stem: bool) -> Callable[[str], str]:
    """Return a function from a token to its term, which is empty for a stop word."""

    @lru_cache(maxsize=_CACHED_TOKENS)
    def term_of(token: str) -> str:
        term = lowercase(_without_possessive(token))
        if stop and term in STOP_WORDS:
            return ""
        return porter_stem(term) if stem else term

    return term_of


def _without_possessive(token: str) -> str:
    """Take off a final 's. The apostrophe may be any of the three Lucene knows."""
    if token[-2:-1] in ("'", "\u2019", "\uff07") and token[-1] in "sS":
        return token[:-2]
    return token
