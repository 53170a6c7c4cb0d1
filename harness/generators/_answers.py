"""Questions out of the answers of a chat model."""

from __future__ import annotations

import json
import re
from typing import Any, Final

_FENCE: Final = re.compile(r"^\s*```\w*\s*$", re.MULTILINE)
_BULLET: Final = re.compile(r"^(?:[-*•–]\s+|\(?\d{1,2}[.):]\)?\s+|(?:question|q)\s*\d{0,2}\s*[.:)]\s+)", re.IGNORECASE)
_QUOTES: Final = {'"': '"', "'": "'", "“": "”", "‘": "’", "«": "»", "`": "`"}


def parse_questions(answer: str, most: int) -> list[str]:
    """At most `most` questions: the texts of a JSON list if the answer has one, else its lines.

    Code fences, numbers, bullets and quotes around a question are removed, and so are introductory lines (`Here are
    three:`).
    """
    answer = _FENCE.sub("", answer)
    lines = _json_texts(answer) or answer.splitlines()
    bare = map(_bare, lines)
    return [text for text in bare if text and not text.endswith(":")][:most]


def _json_texts(answer: str) -> list[str]:
    """The texts of the JSON list in the answer, or of the first list of its JSON object; empty without either."""
    json_part = re.search(r"[\[{].*[\]}]", answer, re.DOTALL)
    if json_part is None:
        return []
    try:
        content = json.loads(json_part.group())
    except (ValueError, RecursionError):
        return []
    if isinstance(content, dict):
        content = next((value for value in content.values() if isinstance(value, list)), None)
    if not isinstance(content, list):
        return []
    return [text for text in map(_text, content) if text is not None]


def _text(item: Any) -> str | None:
    """The text of an item, or the first text of a JSON object such as `{"question": …}`."""
    if isinstance(item, dict):
        item = next((value for value in item.values() if isinstance(value, str)), None)
    return item if isinstance(item, str) else None


def _bare(line: str) -> str:
    """The line without a number, a bullet, emphasis or quotes around it."""
    text = " ".join(line.split())
    text = _BULLET.sub("", text, count=1).strip().strip("*").strip().rstrip(",")
    while len(text) > 1 and _QUOTES.get(text[0]) == text[-1]:
        text = text[1:-1].strip()
    return text
