"""Lucene's StandardAnalyzer: the words of a text in any language, in lower case."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.analyzers import Analyzer, Pieces
from harness.analyzers._pieces import cut
from harness.analyzers._uax29 import tokenize


@dataclass(frozen=True)
class Standard(Analyzer):
    """Split a text into words and put them into lower case, as Lucene does.

    The terms are those of Lucene 9's StandardAnalyzer. No word is dropped and none is stemmed, so it suits languages
    that have no analyser of their own.
    """

    def __call__(self, text: str) -> list[str]:
        """Return the terms of `text`, in order."""
        return [lowercase(token) for token in tokenize(text)]

    def pieces(self, texts: Sequence[str]) -> Pieces:
        """See `Analyzer.pieces`."""
        return cut(texts)


def lowercase(token: str) -> str:
    """Put a token into lower case, character by character, as Lucene does.

    `str.lower` looks at the neighbours of a capital sigma and turns a dotted capital I into two characters;
    Java's mapping of single characters, which Lucene uses, does neither.
    """
    if token.isascii():
        return token.lower()
    return "".join("i" if char == "\u0130" else char.lower() for char in token)
