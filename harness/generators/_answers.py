"""What a chat model answered → questions."""

from __future__ import annotations

import json
import re
from typing import Any, Final

_FENCE: Final = re.compile(r"^\s*```\w*\s*$", re.MULTILINE)
_BULLET: Final = re.compile(r"^(?:[-*•–]\s+|\(?\d{1,2}[.):]\)?\s+|(?:question|q)\s*\d{0,2}\s*[.:)]\s+)", re.IGNORECASE)
_QUOTES: Final = {'"': '"', "'": "'", "“": "”", "‘": "’", "«": "»", "`": "`"}


def parse_questions(answer: str, most: int) -> list[str]:
    """At most `most` questions: the texts of a JSON list where the answer holds one, else its lines.

    Code fences, numbers, bullets and quotes around a question go; so does a line that only announces (`Here are
    three:`).
    """
    answer = _FENCE.sub("", answer)
    listed = _listed(answer)
    lines = answer.splitlines() if listed is None else listed
    found = (_bare(line) for line in lines)
    return [text for text in found if text and not text.endswith(":")][:most]


def _listed(answer: str) -> list[str] | None:
    """The texts of the JSON list, or of an object's first list."""
    start = min((i for i in (answer.find("["), answer.find("{")) if i >= 0), default=-1)
    end = max(answer.rfind("]"), answer.rfind("}"))
    if start < 0 or end < start:
        return None
    try:
        held = json.loads(answer[start : end + 1])
    except (ValueError, RecursionError):
        return None
    if isinstance(held, dict):
        held = next((value for value in held.values() if isinstance(value, list)), None)
    if not isinstance(held, list):
        return None
    found = [text for item in held if (text := _text(item)) is not None]
    return found or None


def _text(item: Any) -> str | None:
    if isinstance(item, dict):
        item = next((value for value in item.values() if isinstance(value, str)), None)
    return item if isinstance(item, str) else None


def _bare(line: str) -> str:
    text = " ".join(line.split())
    text = _BULLET.sub("", text, count=1).strip().strip("*").strip().rstrip(",")
    while len(text) > 1 and _QUOTES.get(text[0]) == text[-1]:
        text = text[1:-1].strip()
    return text
