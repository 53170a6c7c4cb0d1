"""Lucene's CJKAnalyzer: overlapping pairs of Chinese, Japanese and Korean characters."""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

from harness.analyzers import Analyzer, Pieces
from harness.analyzers._pieces import cut
from harness.analyzers._uax29 import tokenize
from harness.analyzers._uax29_data import CLASSES
from harness.analyzers.standard import lowercase

_STOP_WORDS: Final = """
    a and are as at be but by for if in into is it no not of on or s such t that the their then there these they this to
    was will with www
"""
STOP_WORDS: Final = frozenset(_STOP_WORDS.split())
"""The words that Lucene leaves out of such texts by default."""
_HANGUL: Final = "1100-11FF 3131-318E A960-A97C AC00-D7A3 D7B0-D7FB FFA0-FFDC"
_WIDE: Final = re.compile("[\uff01-\uff5e\uff65-\uff9f]+")
"""ASCII in the width of an ideograph, and Katakana in half of it."""


@dataclass(frozen=True)
class Cjk(Analyzer):
    """Turn Chinese, Japanese or Korean text into the terms that Lucene's CJKAnalyzer gives.

    These languages are written without spaces, or with words that join their particles, and a dictionary that finds
    the words is large and never complete. So each two neighbouring characters are a term (a character without
    neighbours is a term of its own); other scripts are split into words, in lower case, without `STOP_WORDS`. The
    terms are those of Lucene 9; `benchmarks/lucene_terms.py` compares the two.
    """

    stop: bool = True
    """Whether to leave out `STOP_WORDS`."""

    def __call__(self, text: str) -> list[str]:
        """Return the terms of `text`, in order, as often as they occur."""
        terms = list(_terms(text))
        return [term for term in terms if term not in STOP_WORDS] if self.stop else terms

    def pieces(self, texts: Sequence[str]) -> Pieces:
        """See `Analyzer.pieces`: no pair of characters reaches over what separates two pieces."""
        return cut(texts)


def _terms(text: str) -> Iterator[str]:
    """Words as they are, and the pairs of each run of characters in tokens that follow each other directly."""
    run, end = "", -1
    for token in tokenize(text):
        start = text.index(token, max(end, 0))
        if not _is_cjk(token):
            yield from _pairs(run)
            yield _normal(token)
            run = ""
        elif start == end:
            run += _normal(token)
        else:
            yield from _pairs(run)
            run = _normal(token)
        end = start + len(token)
    yield from _pairs(run)


def _pairs(run: str) -> Iterator[str]:
    if len(run) == 1:
        yield run
    for first, second in itertools.pairwise(run):
        yield first + second


def _normal(token: str) -> str:
    """Usual widths, lower case."""
    if token.isascii():
        return token.lower()
    return lowercase(_WIDE.sub(lambda found: unicodedata.normalize("NFKC", found[0]), token))


def _is_cjk(token: str) -> bool:
    """Whether a token is one of Lucene's types IDEOGRAPHIC, HIRAGANA, KATAKANA or HANGUL."""
    return not token.isascii() and _cjk().fullmatch(token) is not None


@cache
def _cjk() -> re.Pattern[str]:
    extend = _ranges(*(CLASSES[letter] for letter in "xjSKmtTvV"))
    single = f"[{_ranges(CLASSES['c'], CLASSES['y'])}]"
    katakana, hangul = (f"[{letters}][{letters}{extend}]*" for letters in (_ranges(CLASSES["k"]), _ranges(_HANGUL)))
    return re.compile(f"(?:{single}|{katakana}|{hangul})[{extend}]*")


def _ranges(*lists: str) -> str:
    """Ranges of code points in hexadecimal → those of a regular expression."""
    found = []
    for item in " ".join(lists).split():
        first, _, last = item.partition("-")
        found.append(f"\\U{int(first, 16):08x}-\\U{int(last or first, 16):08x}")
    return "".join(found)
