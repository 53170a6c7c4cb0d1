"""Lucene's StandardTokenizer: word boundaries by UAX #29, with Lucene's own additions.

The rules are those of Unicode Standard Annex #29, except that Lucene keeps only what is a word and drops the rest,
makes every Han and Hiragana character a word, keeps runs of South-East Asian script whole, recognises emoji by the
grammar of UTS #51, and splits what is longer than `MAX_TOKEN_LENGTH`. At each position the longest match of any rule is
the token; if no rule matches, one character is skipped.

The rules speak of classes of characters, and so does this code: a text is first turned into a string of the same length
with one letter per character, its class (listed in `harness.analyzers._uax29_data`), and the regular expressions match
that. This keeps them short enough to read, and free of Unicode's tables.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Final

from harness.analyzers._uax29_data import CLASSES

MAX_TOKEN_LENGTH: Final = 255
"""The longest token, in UTF-16 code units, which are what Lucene counts in."""

# Characters that attach to the one before them (UAX #29, rule WB4). Inside an emoji the two presentation selectors
# (v, V) are not among them: the rules name them.
_EXTEND: Final = "xjSKmtTvV"
_X: Final = f"[{_EXTEND}]*"
_EMOJI_X: Final = "[xjSKmtT]*"

# What a match may begin with repeatedly is bounded. A longer run cannot be the start of a token, and without the bound
# a long run that turns out to start none, such as underscores, would be walked to its end from every one of them.
_FEW: Final = f"{{0,{MAX_TOKEN_LENGTH}}}+"

# `re` takes the first alternative that matches and Lucene's scanner the longest. Each expression below is arranged so
# that the two are the same: wherever two alternatives could go on from one character, the first of them can be
# continued by everything that could continue the second.
_LETTERS: Final = f"[ai][ai{_EXTEND}]*"
_DIGITS: Final = f"0[0{_EXTEND}]*"
_JOINED_LETTERS: Final = f"(?:[.:']{_X}(?:{_LETTERS}|h{_X}))*"
_UNIT: Final = (
    f"(?:{_LETTERS}{_JOINED_LETTERS}"
    f"|{_DIGITS}(?:[.,']{_X}{_DIGITS})*"
    # Hebrew quotation marks inside and after a word. As in Lucene, a letter that has just been joined by
    # _JOINED_LETTERS takes none.
    f"|h{_X}(?:\"{_X}h{_X}|'{_X}|{_JOINED_LETTERS}))"
)
_CORE: Final = f"(?:{_UNIT}+|k[k{_EXTEND}]*)"
_WORD: Final = f"(?:_[_{_EXTEND}]{_FEW})?{_CORE}(?:_[_{_EXTEND}]*+{_CORE})*(?:_[_{_EXTEND}]*)?"

_SCRIPT: Final = f"[sS][s{_EXTEND}]*|[cy]{_X}"

_ELEMENT: Final = f"[ei]{_EMOJI_X}V?"
_EMOJI: Final = (
    f"j{_FEW}[ei]{_EMOJI_X}Vt+T"
    # A joiner between two elements has been taken by _EMOJI_X, hence the look-behinds,
    # unless a presentation selector precedes it.
    f"|(?:j{_FEW}{_ELEMENT}|m{_EMOJI_X})"
    f"(?:(?<=j){_ELEMENT}|(?<=V)(?:j+{_ELEMENT}|jm{_EMOJI_X}))*"
    # A keycap on a digit needs no rule, for _WORD takes no less.
    f"|#{_EMOJI_X}VK{_EMOJI_X}|#[xjSmtT]*K{_EMOJI_X}"
    f"|r{_X}r{_X}"
)

_WORD_OR_SCRIPT_RE: Final = re.compile(f"{_WORD}|{_SCRIPT}")
_EMOJI_RE: Final = re.compile(_EMOJI)
_TOKEN_RE: Final = re.compile(f"{_WORD}|{_SCRIPT}|{_EMOJI}")

# The same rules as far as they concern ASCII, to run over the text itself.
_ASCII_CORE: Final = "(?:[A-Za-z]+(?:[.:'][A-Za-z]+)*|[0-9]+(?:[.,;'][0-9]+)*)+"
_ASCII_RE: Final = re.compile(f"_{_FEW}{_ASCII_CORE}(?:_++{_ASCII_CORE})*_*")


def tokenize(text: str) -> list[str]:
    """Return the tokens of `text`, in order, as Lucene's StandardTokenizer does."""
    if text.isascii():
        tokens: list[str] = _ASCII_RE.findall(text)
    else:
        classes = text.translate(_class_of_each_character())
        if "i" in classes:
            # A letter that is also an emoji can start a match of two rules, and which of them is the longer is only
            # known once both have been matched.
            return _scan(text, classes)
        tokens = [text[m.start() : m.end()] for m in _TOKEN_RE.finditer(classes)]
    # A character is at most two code units, so that shorter tokens cannot be too long.
    if tokens and len(max(tokens, key=len)) > MAX_TOKEN_LENGTH // 2:
        return _scan(text, text.translate(_class_of_each_character()))
    return tokens


def _scan(text: str, classes: str) -> list[str]:
    """Tokenise exactly by the rules, without the short cuts of `tokenize`.

    Lucene's scanner sees `MAX_TOKEN_LENGTH` code units from where a token starts, as if the text ended there.
    """
    tokens = []
    start = 0
    while start < len(text):
        limit = min(start + MAX_TOKEN_LENGTH, len(text))
        end = _longest_match(classes, start, limit)
        if end - start > MAX_TOKEN_LENGTH // 2:
            # Only long tokens can have too many code units, so only these are counted.
            while len(text[start:limit].encode("utf-16-le", "surrogatepass")) > 2 * MAX_TOKEN_LENGTH:
                limit -= 1
            end = _longest_match(classes, start, limit)
        if end > start:
            tokens.append(text[start:end])
        start = max(end, start + 1)
    return tokens


def _longest_match(classes: str, start: int, limit: int) -> int:
    """Return where the longest token ends, or `start` if none starts there."""
    matches = (
        _WORD_OR_SCRIPT_RE.match(classes, start, limit),
        _EMOJI_RE.match(classes, start, limit),
    )
    return max((match.end() for match in matches if match), default=start)


@cache
def _class_of_each_character() -> str:
    """Return the class of every code point, by its number; a space if it has none."""
    table = bytearray(b" ") * 0x110000
    for letter, ranges in CLASSES.items():
        for item in ranges.split():
            first, _, last = item.partition("-")
            low, high = int(first, 16), int(last or first, 16) + 1
            table[low:high] = letter.encode("ascii") * (high - low)
    return table.decode("ascii")
