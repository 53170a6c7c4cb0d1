"""Text → sentences and chunks, by rule: good enough to quote from, for languages that end sentences with a mark."""

from __future__ import annotations

import re
from typing import Final

_WORDS: Final = """
    al approx ca capt cf corp co dept dr eds e.g eg esp etc fig figs gen gov hon i.e ie inc jan feb apr aug sept oct nov
    dec jr ltd lt messrs mr mrs ph.d pp prof resp rev sgt spp sr ssp st subsp suppl u.k u.s viz vs
"""
_ABBREVIATIONS: Final = frozenset(_WORDS.split())
_BEFORE_NUMBERS: Final = frozenset(
    ["ch", "eq", "eqs", "no", "nos", "nr", "op", "p", "ref", "refs", "sec", "sect", "vol", "vols"]
)
_END: Final = re.compile(r"(?<![.!?…])[.!?…]++[\"'”’»)\]]*+(?=\s)|[。！？]+[」』”]?|\n[ \t]*\n")
_NEXT: Final = re.compile(r"\s*[\"'“‘«(\[]*(\S?)")
_LAST_WORD: Final = re.compile(r"[^\s(\[\"'“‘]*\Z")
_LONGEST_WORD: Final = 32


def sentences(text: str) -> list[str]:
    """The sentences of a text, stripped, in order; nothing but white space is lost.

    A full stop ends none after an abbreviation or an initial, before a lower-case letter, or inside a number. Blank
    lines end one.
    """
    found, start = [], 0
    for match in _END.finditer(text):
        if _ends(text, match):
            found.append(text[start : match.end()].strip())
            start = match.end()
    found.append(text[start:].strip())
    return [sentence for sentence in found if sentence]


def chunks(text: str, words: int) -> list[str]:
    """A text cut at sentence ends into chunks of about so many words, white space normalised; the last may be longer by
    half.
    """
    parts: list[list[str]] = [[]]
    for sentence in sentences(text):
        tokens = sentence.split()
        if parts[-1] and len(parts[-1]) + len(tokens) > words:
            parts.append([])
        parts[-1].extend(tokens)
    if len(parts) > 1 and len(parts[-1]) < words // 2:
        last = parts.pop()
        parts[-1].extend(last)
    return [" ".join(part) for part in parts if part]


def _ends(text: str, match: re.Match[str]) -> bool:
    mark = match.group()
    if mark[0] in "。！？\n":
        return True
    after = _NEXT.match(text, match.end())
    following = after.group(1) if after else ""
    if following.islower():
        return False
    if mark[0] != "." or mark.startswith(".."):
        return True
    last = _LAST_WORD.search(text, max(0, match.start() - _LONGEST_WORD), match.start())
    word = last.group() if last else ""
    initial = len(word) == 1 and word.isalpha() and word.isupper()
    numbered = following.isdigit() and word.lower() in _BEFORE_NUMBERS
    return not initial and not numbered and word.lower() not in _ABBREVIATIONS
