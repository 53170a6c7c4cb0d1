"""Invisible characters that do not separate columns, named in the error of a line that contains one."""

from __future__ import annotations

import re
import unicodedata

MARK = "\ufeff"
"""The byte order mark; inside a file it is what is left where two files were joined."""
_UNSEEN = re.compile("[\u00a0\u00ad\u1680\u2000-\u200f\u2028-\u202f\u205f-\u2064\u3000\ufeff]")


def named(character: str) -> str:
    """A character by its number and its name: `U+00A0 (no-break space)`."""
    name = "byte order mark" if character == MARK else unicodedata.name(character, "").lower()
    return f"U+{ord(character):04X}" + (f" ({name})" if name else "")


def unseen(text: str) -> str:
    """A sentence, after a space, on the first invisible character of a line or a column; empty without one."""
    match = _UNSEEN.search(text)
    if match is None:
        return ""
    where = f"{named(match[0])} at character {match.start() + 1}"
    return f" It contains {where}, which does not separate columns: replace it by a space."


def joined(line: str) -> str:
    """What is wrong with a line that begins with a byte order mark; empty for other lines."""
    if not line.startswith(MARK):
        return ""
    return f"the line begins with {named(MARK)}, which is left from joining two files: delete it."
