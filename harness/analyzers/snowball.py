"""Words of 23 languages, stemmed by Snowball's algorithms."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import metadata
from typing import Final, Literal

from harness.analyzers import Analyzer, Pieces
from harness.analyzers._pieces import cut
from harness.analyzers._uax29 import tokenize
from harness.analyzers.standard import lowercase
from harness.base.errors import Unavailable
from harness.base.optional import library

Language = Literal[  # those that have both a stemmer and a list of stop words
    "arabic", "catalan", "czech", "danish", "dutch", "english", "finnish", "french", "german", "greek", "hindi",
    "hungarian", "indonesian", "italian", "norwegian", "persian", "polish", "portuguese", "romanian", "russian",
    "spanish", "swedish", "turkish"
]
EXTRA: Final = "languages"
RELEASES: Final = {"PyStemmer": "3.1.", "stop-words": "2025.11."}
"""Releases that are used: others may have other stems and stop words, and an index is cached by this code, not by them.
"""
_APOSTROPHES: Final = ("'", "\u2019", "\uff07")
_ARTICLES: Final = {
    "catalan": "d l m n s t",
    "french": "c d j jusqu l lorsqu m n puisqu qu quoiqu s t",
    "italian": "agl all c coll d dagl dall degl dell gl l m negl nell pell s sugl sull t un v",
}
"""Words that lose their last letter before a vowel and are written together with the next word, as in l'avion."""
_CACHED_TOKENS: Final = 2**17


@dataclass(frozen=True)
class Snowball(Analyzer):
    """Split a text into words, in lower case, without stop words, and stem them by Snowball's algorithm.

    Words are those of Unicode's rules, as in `standard`. Stems are those of M. F. Porter's Snowball project, by its own
    library (PyStemmer); stop words are those of the package stop-words, some hundred of each language. Lucene's
    analysers of single languages are other chains: some have lighter stemmers and shorter lists, so that scores are not
    those of Lucene. For English take `english`, for Chinese, Japanese and Korean `cjk`.
    """

    language: Language = "english"
    """Of the corpus and the queries."""
    stop: bool = True
    """Whether to leave out stop words."""
    stem: bool = True
    """Whether to stem."""

    def __call__(self, text: str) -> list[str]:
        """Return the terms of `text`, in order, as often as they occur.

        Raises:
            Unavailable: the libraries of the extra `languages` are not installed, or in another release.
        """
        return list(filter(None, map(_term_of(self.language, self.stop, self.stem), tokenize(text))))

    def pieces(self, texts: Sequence[str]) -> Pieces:
        """See `Analyzer.pieces`."""
        return cut(texts)


@cache
def _term_of(language: str, stop: bool, stem: bool) -> Callable[[str], str]:
    """Return a function from a token to its term, which is empty for a stop word."""
    stemmer = library("Stemmer", EXTRA).Stemmer(language)
    listed = library("stop_words", EXTRA).get_stop_words(language)
    _check_releases()
    stop_words = frozenset(map(lowercase, listed)) if stop else frozenset()
    articles = frozenset(_ARTICLES.get(language, "").split())

    @lru_cache(maxsize=_CACHED_TOKENS)
    def term_of(token: str) -> str:
        if language == "turkish":  # the only one of them whose I is not the capital of i
            token = token.replace("I", "\u0131")
        term = _without_article(lowercase(token), articles)
        if term in stop_words:
            return ""
        # A stem may be empty: then the word is its own.
        return stemmer.stemWord(term) or term if stem else term

    return term_of


def _without_article(term: str, articles: frozenset[str]) -> str:
    for place, character in enumerate(term[:-1]):
        if character in _APOSTROPHES:
            return term[place + 1 :] if term[:place] in articles else term
    return term


def _check_releases() -> None:
    """Raises Unavailable if a library is not of the release that this code was written for."""
    for name, release in RELEASES.items():
        version = metadata.version(name)
        if not version.startswith(release):
            raise Unavailable(
                f"snowball: {name} {version} may have other stems or stop words than {release}*, with which indexes "
                "are cached.",
                f"`pip install --upgrade '{name}=={release}*'` installs the release that is used.",
            )
