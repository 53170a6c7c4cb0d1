"""Reasoning: what a reasoning model says before its answer, in the formats that models and servers use.

An answer is cached as it came, and `without_reasoning` is applied whenever it is read, so that cached answers stay
valid when another format is added here.
"""

from __future__ import annotations

import re
from typing import Any, Final

_NAME: Final = r"(?:think|thinking|thought|thoughts|reason|reasoning|reflection|analysis|scratchpad|seed:think)"
_TAG: Final = re.compile(
    rf"(?P<open><{_NAME}(?:\s[^<>]*)?>|\[THINK\]|◁think▷|<\|(?:begin_of_thought|START_THINKING|{_NAME})\|>)"
    rf"|(?P<close></{_NAME}\s*>|\[/THINK\]|◁/think▷|<\|(?:end_of_thought|END_THINKING|/{_NAME})\|>)",
    re.IGNORECASE,
)
_DETAILS: Final = re.compile(
    rf"^[ \t]*<details\s(?=[^<>]*\btype\s*=\s*[\"']?{_NAME}\b)[^<>]*>.*?(?:</details\s*>|\Z)",
    re.DOTALL | re.IGNORECASE | re.MULTILINE,
)
"""A folded block of reasoning, as in Open WebUI; a block of any other type belongs to the answer."""
_AROUND: Final = re.compile(
    r"\A(?:<(?P<tag>answer|response|solution|final)>(?P<inner>.*?)(?:</(?P=tag)>|\Z)"
    r"|<\|(?:begin_of_solution|START_RESPONSE)\|>(?P<marked>.*?)(?:<\|(?:end_of_solution|END_RESPONSE)\|>|\Z))\Z",
    re.DOTALL | re.IGNORECASE,
)
_CHANNEL: Final = re.compile(r"(?:<\|start\|>\s*\w*\s*)?<\|channel\|>\s*(\w+)[^<]*(?:<\|[a-z]+\|>[^<]*)*?<\|message\|>")
_MARKER: Final = re.compile(r"<\|(?:end|return|call|start|channel|message)\|>")
_QUOTES: Final = "`'\""
_STRIPPED: Final = re.compile(r"\Aanalysis(?=[A-Z]).*?(?:assistantfinal|\Z)", re.DOTALL)
"""Channels whose markers the server removed as special tokens: `analysisWe need…assistantfinalThe answer`."""


def without_reasoning(content: str) -> str:
    """An answer without the reasoning before it; empty if the reasoning broke off, since no answer follows it.

    - Tags such as `<think>…</think>` and blocks such as `<details type="reasoning">…</details>`, at the beginning of a
      line: a text that only mentions the tag is not changed.
    - A closing tag without its opening one, which may be part of the prompt's template: all before it is reasoning.
    - Channels of the harmony format (gpt-oss): only the text in `final`.
    - One tag around the whole answer, as `<answer>…</answer>`, is removed.
    """
    if "<|channel|>" in content:
        content = _final(content)
    text = _STRIPPED.sub("", content)
    text = _without_tags(text)
    if _DETAILS.search(text):
        text = _DETAILS.sub("", text).strip()
    around = _AROUND.match(text.strip())
    if around is not None:
        text = (around["inner"] if around["marked"] is None else around["marked"]).strip()
    return text


def _final(content: str) -> str:
    """The channel `final` of the harmony format (developers.openai.com/cookbook, "OpenAI harmony")."""
    parts = list(_CHANNEL.finditer(content))
    for part in reversed(parts):
        if part[1] == "final":
            return _MARKER.split(content[part.end() :], maxsplit=1)[0].strip()
    return ""


def _without_tags(text: str) -> str:
    """The text outside of reasoning; unchanged if there is none."""
    # Walks the tags: `parts` is the text outside of reasoning so far, `at` where the current part begins.
    parts: list[str] = []
    at, thinking, mentioned, found = 0, False, 0, False
    for tag in _TAG.finditer(text):
        if not thinking and _quoted(text, tag.start(), tag.end()):
            continue  # only mentioned
        if tag["close"] is None:
            if not thinking and text[at : tag.start()].rpartition("\n")[2].strip():
                mentioned += 1  # in the middle of a line
            elif not thinking:
                parts.append(text[at : tag.start()])
                thinking = found = True
        elif thinking:
            thinking, at = False, tag.end()
        elif mentioned:
            mentioned -= 1
        else:  # it was opened by the prompt's template, or the one that ended was inside another
            parts, at, found = [], tag.end(), True
    if not found:
        return text
    if not thinking:
        parts.append(text[at:])
    return "".join(parts).strip()


def _quoted(text: str, start: int, end: int) -> bool:
    before = text[start - 1 : start] if start else ""
    return bool(before) and before in _QUOTES and text[end : end + 1] == before


def message_text(message: Any) -> str:
    """The text of a message of the chat protocol: its text parts joined, including reasoning inside them.

    `reasoning_content`, `reasoning` and parts of type `thinking` are never part of the answer.
    """
    content = message.get("content")
    if isinstance(content, list):
        parts = [
            part for part in content if isinstance(part, dict) and part.get("type", "text") in ("text", "output_text")
        ]
        content = "".join(str(part.get("text") or "") for part in parts)
    return content if isinstance(content, str) else ""
