"""A setting as text."""

from __future__ import annotations

import json


def shown(value: object) -> str:
    """A setting as it is written in an expression."""
    if isinstance(value, str):
        # A lone surrogate as its escape, so that the text can be printed.
        return json.dumps(value, ensure_ascii=False).encode("utf-8", "backslashreplace").decode()
    if isinstance(value, tuple):
        inner = ", ".join(map(shown, value))
        return f"({inner},)" if len(value) == 1 else f"({inner})"
    if isinstance(value, type):
        return f"the class {value.__name__}"
    return str(value) if hasattr(value, "room") else repr(value)
