"""In which language documents are written, as far as an analyser or an encoder has to know."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, get_args

from harness.analyzers.snowball import EXTRA, Language
from harness.base.errors import Unavailable
from harness.base.optional import library
from harness.datacheck.findings import Findings

KEPT, READ = 256, 1000
"""Documents of the sample, at least half as many, and the characters of each that are read."""
_MANY: Final = 0.3
"""Share of letters of another script, from which on the analyser and the encoder have to be others."""
_WORDS: Final = 0.15
"""Share of words that have to be stop words of a language for it to be that language: function words are 30 to 50 %."""
_AHEAD: Final = 1.3
"""How many times as many as in English: related languages share stop words."""
_CJK: Final = ("CJK", "HIRAGANA", "KATAKANA", "HANGUL", "BOPOMOFO", "HALFWIDTH")
_WORD: Final = re.compile(r"[^\W\d_]+")


@dataclass
class Sample:
    """Texts at even distances of a stream, the length of which is not known before its end."""

    texts: list[str] = field(default_factory=list)
    _seen: int = 0
    _every: int = 1

    def add(self, text: str) -> None:
        """Takes the next text of the stream, or leaves it out."""
        if self._seen % self._every == 0:
            self.texts.append(text[:READ])
            if len(self.texts) == 2 * KEPT:
                del self.texts[1::2]
                self._every *= 2
        self._seen += 1


def check_language(texts: Sequence[str], findings: Findings) -> None:
    """Adds a note if the default analyser and encoder, which are for English, do not suit the texts."""
    scripts = Counter(_script(letter) for text in texts for letter in text if letter.isalpha())
    share = {script: count / max(1, scripts.total()) for script, count in scripts.items()}
    encoder = "An encoder that was trained on English knows little of it: name a multilingual model."
    if share.get("CJK", 0) >= _MANY:
        message = (
            "documents are written in Chinese, Japanese or Korean; the default analyser of bm25 is for English: use "
            f"bm25(analyzer=cjk). {encoder}"
        )
        findings.add("note", "language-cjk", message, f"{share['CJK']:.0%} of the letters", len(texts))
        return
    language = _language(texts)
    if language not in (None, "english"):
        message = (
            f"documents are written in {str(language).capitalize()}; the default analyser of bm25 is for English: use "
            f'bm25(analyzer=snowball(language="{language}")). {encoder}'
        )
        findings.add("note", "language", message, count=len(texts))
    elif 1 - share.get("LATIN", 0) >= _MANY and scripts:
        script = max((name for name in share if name != "LATIN"), key=lambda name: share[name])
        message = (
            "documents are not written in the Latin script; the default analyser of bm25 is for English: use "
            f"bm25(analyzer=standard), or snowball(language=…) with the extra `{EXTRA}`. {encoder}"
        )
        findings.add("note", "language-script", message, f"{share[script]:.0%} {script.capitalize()}", len(texts))


def _script(letter: str) -> str:
    """The first word of a letter's name in Unicode, which is its script; one name for those of East Asia."""
    if letter.isascii():
        return "LATIN"
    first = unicodedata.name(letter, "OTHER").partition(" ")[0]
    return "CJK" if first in _CJK else first


def _language(texts: Sequence[str]) -> str | None:
    """The language whose stop words are most frequent; None if none is frequent, or they are not installed."""
    try:
        stop_words = library("stop_words", EXTRA)
    except Unavailable:
        return None
    words = Counter(word for text in texts for word in _WORD.findall(text.lower()))
    shares: dict[str, float] = {
        language: sum(words[word] for word in set(stop_words.get_stop_words(language))) / max(1, words.total())
        for language in get_args(Language)
    }
    best = max(sorted(shares), key=lambda language: shares[language])
    if shares[best] < max(_WORDS, _AHEAD * shares["english"]):
        return "english" if shares["english"] >= _WORDS else None
    return best
