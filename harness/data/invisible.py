"""Characters that no one sees and that part no columns: what they are and where, for the error of a line that holds
one.
"""

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
    """Which invisible character a line or a column holds first, and what to do, as a sentence after a space; else
    empty.
    """
    found = _UNSEEN.search(text)
    if found is None:
        return ""
    return (
        f" It holds {named(found[0])} at character {found.start() + 1}, which parts no columns: replace it by a space."
    )


def joined(line: str) -> str:
    """What is wrong with a line that begins with a byte order mark; empty where it does not."""
    if not line.startswith(MARK):
        return ""
    return f"the line begins with {named(MARK)}; were files joined of which each has one? Delete it."
