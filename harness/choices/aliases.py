"""Names that users give to rows: `best=hybrid(…)`."""

from __future__ import annotations

import re

LONGEST = 60
"""Characters of a name."""
_NAMED = re.compile(r"\s*([^\W_][\w .+-]*?)\s*=(?!=)\s*(\S.*)", re.DOTALL)
"""What is before the `=` has no bracket, quote, slash or `>`, unlike settings and files."""


def split(text: str) -> tuple[str, str]:
    """The name and the expression of `best=hybrid(…)`; an empty name and the text if it has none."""
    found = _NAMED.fullmatch(text)
    return ("", text) if found is None else (found[1], found[2])
