"""The Porter stemmer, as Lucene's PorterStemFilter applies it.

It is the algorithm of M. F. Porter, "An algorithm for suffix stripping", Program 14(3), 1980, with the three
departures of its author's own later implementations, which Lucene follows: step 2 has `-bli` instead of the paper's
`-abli`, it also has `-logi`, and words of one or two letters are not stemmed. Snowball's `porter` follows the paper, so
that it stems "assembly", "analogy" and "5s" differently.
"""

from __future__ import annotations

import re
import struct
from typing import Final

# Within a step only the longest suffix counts, even if its condition does not hold. A search finds it, since it starts
# first.
_Step = tuple[re.Pattern[str], dict[str, str]]


def _step(replacements: dict[str, str]) -> _Step:
    return re.compile(rf"(?:{'|'.join(replacements)})\Z"), replacements


_STEP_2: Final = _step(
    {
        "ational": "ate",
        "tional": "tion",
        "enci": "ence",
        "anci": "ance",
        "izer": "ize",
        "bli": "ble",
        "alli": "al",
        "entli": "ent",
        "eli": "e",
        "ousli": "ous",
        "ization": "ize",
        "ation": "ate",
        "ator": "ate",
        "alism": "al",
        "iveness": "ive",
        "fulness": "ful",
        "ousness": "ous",
        "aliti": "al",
        "iviti": "ive",
        "biliti": "ble",
        "logi": "log",
    }
)
_STEP_3: Final = _step(
    {
        "icate": "ic",
        "ative": "",
        "alize": "al",
        "iciti": "ic",
        "ical": "ic",
        "ful": "",
        "ness": "",
    }
)
_STEP_4: Final = re.compile(r"(?:al|ance|ence|er|ic|able|ible|ant|ement|ment|ent|ion|ou|ism|ate|iti|ous|ive|ize)\Z")


def stem(word: str) -> str:
    """Return the stem of `word`, which should be in lower case.

    Characters other than English letters count as consonants, as in Lucene; one outside Unicode's Basic Multilingual
    Plane counts as two, as in UTF-16.
    """
    if word.isascii() or max(word) <= "\uffff":
        return _stem(word)
    data = word.encode("utf-16-le", "surrogatepass")
    units = "".join(map(chr, struct.unpack(f"<{len(data) // 2}H", data)))
    data = _stem(units).encode("utf-16-le", "surrogatepass")
    return data.decode("utf-16-le", "surrogatepass")


def _stem(word: str) -> str:
    if len(word) <= 2:
        return word
    word = _step_1a(word)
    word = _step_1b(word)
    if word.endswith("y") and _has_vowel(word[:-1]):  # step 1c
        word = word[:-1] + "i"
    word = _replace_suffix(word, _STEP_2)
    word = _replace_suffix(word, _STEP_3)
    word = _step_4(word)
    return _step_5(word)


def _step_1a(word: str) -> str:
    """Take off the plural."""
    if word.endswith(("sses", "ies")):
        return word[:-2]
    if word.endswith("s") and not word.endswith("ss"):
        return word[:-1]
    return word


def _step_1b(word: str) -> str:
    """Take off the past tense and the participle, and repair the rest."""
    if word.endswith("eed"):
        return word[:-1] if _measure(word[:-3]) > 0 else word
    if word.endswith("ed"):
        base = word[:-2]
    elif word.endswith("ing"):
        base = word[:-3]
    else:
        return word
    if not _has_vowel(base):
        return word
    if base.endswith(("at", "bl", "iz")):
        return base + "e"
    if _ends_in_double_consonant(base):
        return base if base[-1] in "lsz" else base[:-1]
    if _measure(base) == 1 and _ends_in_short_syllable(base):
        return base + "e"
    return base


def _replace_suffix(word: str, step: _Step) -> str:
    """Apply step 2 or 3: replace the suffix if the part before it is long enough."""
    pattern, replacements = step
    suffix = pattern.search(word)
    if suffix and _measure(word[: suffix.start()]) > 0:
        return word[: suffix.start()] + replacements[suffix[0]]
    return word


def _step_4(word: str) -> str:
    """Take off the remaining suffixes, from long words only."""
    suffix = _STEP_4.search(word)
    if not suffix:
        return word
    base = word[: suffix.start()]
    if suffix[0] == "ion" and not base.endswith(("s", "t")):
        return word
    return base if _measure(base) > 1 else word


def _step_5(word: str) -> str:
    """Take off a final e, and one l of two."""
    if word.endswith("e"):
        base = word[:-1]
        measure = _measure(base)
        if measure > 1 or (measure == 1 and not _ends_in_short_syllable(base)):
            word = base
    if word.endswith("ll") and _measure(word) > 1:
        word = word[:-1]
    return word


def _shape(word: str) -> str:
    """Return the word with a v for each vowel and a c for each consonant.

    A y is a vowel after a consonant, and a consonant elsewhere.
    """
    shape = ""
    for letter in word:
        if letter in "aeiou" or (letter == "y" and shape.endswith("c")):
            shape += "v"
        else:
            shape += "c"
    return shape


def _measure(word: str) -> int:
    """Return m of the paper: how often a consonant follows a vowel."""
    return _shape(word).count("vc")


def _has_vowel(word: str) -> bool:
    return "v" in _shape(word)


def _ends_in_double_consonant(word: str) -> bool:
    return word[-1:] == word[-2:-1] and _shape(word).endswith("c")


def _ends_in_short_syllable(word: str) -> bool:
    """Return whether *o of the paper holds: consonant, vowel, and a consonant other than w, x and y."""
    return _shape(word).endswith("cvc") and word[-1] not in "wxy"
