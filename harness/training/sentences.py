"""Sentences and chunks of documents."""

from __future__ import annotations

import re

_END = re.compile(r"(?<=[.!?])(?P<closing>[\"')\]]*)\s+(?=[\"'(\[]?[A-Z0-9])|\n\s*\n")
_SHORT = re.compile(r"(?:\b(?:e\.g|i\.e|et al|cf|vs|Fig|Figs|Eq|Ref|No|Dr|Mr|Mrs|Prof|approx|ca)|\b[A-Z])\.$")


def sentences(text: str) -> list[str]:
    """The sentences of a text, by full stops before a capital letter or a digit, and by empty lines.

    Common abbreviations and initials do not end one. Made for running prose; a list of code lines is one sentence.
    """
    found: list[str] = []
    start = 0
    for match in _END.finditer(text):
        part = text[start : match.start()]
        if _SHORT.search(part) and "\n" not in match.group():
            continue
        part += match["closing"] or ""
        if part.strip():
            found.append(" ".join(part.split()))
        start = match.end()
    if text[start:].strip():
        found.append(" ".join(text[start:].split()))
    return found


def chunks(text: str, words: int) -> list[str]:
    """A text cut at sentence ends into chunks of about so many words; the last one may be shorter by up to half."""
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
