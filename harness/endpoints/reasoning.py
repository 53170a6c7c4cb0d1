"""Thoughts: what a reasoning model says before its answer, in each of the ways that models and servers mark it.

An answer is kept as it came and read by `spoken` each time, so that what is kept stays right when another way is learnt
here.
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
"""A folded block of thought, as Open WebUI shows one; a block of any other type is an answer's own."""
_AROUND: Final = re.compile(
    r"\A(?:<(?P<tag>answer|response|solution|final)>(?P<inner>.*?)(?:</(?P=tag)>|\Z)"
    r"|<\|(?:begin_of_solution|START_RESPONSE)\|>(?P<marked>.*?)(?:<\|(?:end_of_solution|END_RESPONSE)\|>|\Z))\Z",
    re.DOTALL | re.IGNORECASE,
)
_CHANNEL: Final = re.compile(r"(?:<\|start\|>\s*\w*\s*)?<\|channel\|>\s*(\w+)[^<]*(?:<\|[a-z]+\|>[^<]*)*?<\|message\|>")
_MARKER: Final = re.compile(r"<\|(?:end|return|call|start|channel|message)\|>")
_QUOTES: Final = "`'\""
_STRIPPED: Final = re.compile(r"\Aanalysis(?=[A-Z]).*?(?:assistantfinal|\Z)", re.DOTALL)
"""Channels whose marks the server has dropped as special tokens: `analysisWe need…assistantfinalThe answer`."""


def spoken(content: str) -> str:
    """An answer without the thoughts before it; empty where the thought broke off, for it has no answer behind it.

    - Tags as `<think>…</think>` and blocks as `<details type="reasoning">…</details>`, at the beginning of a line: a
      text that speaks of the tag is left as it is.
    - A closing tag without its opening one, which the prompt's template may have held: all before it is thought.
    - Channels of the harmony format (gpt-oss): what is said in `final`, and nothing where there is no `final`.
    - One tag around the whole answer, as `<answer>…</answer>`, is taken off.
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
    """What is said in the channel `final` of the harmony format (developers.openai.com/cookbook, "OpenAI harmony")."""
    parts = list(_CHANNEL.finditer(content))
    for part in reversed(parts):
        if part[1] == "final":
            return _MARKER.split(content[part.end() :], maxsplit=1)[0].strip()
    return ""


def _without_tags(text: str) -> str:
    """The text outside of thoughts; as it is where there are none."""
    kept: list[str] = []
    at, thinking, mentioned, found = 0, False, 0, False
    for tag in _TAG.finditer(text):
        if not thinking and _quoted(text, tag.start(), tag.end()):
            continue  # spoken of
        if tag["close"] is None:
            if not thinking and text[at : tag.start()].rpartition("\n")[2].strip():
                mentioned += 1  # in the middle of a line
            elif not thinking:
                kept.append(text[at : tag.start()])
                thinking = found = True
        elif thinking:
            thinking, at = False, tag.end()
        elif mentioned:
            mentioned -= 1
        else:  # it was opened by the prompt's template, or the one that ended was inside another
            kept, at, found = [], tag.end(), True
    if not found:
        return text
    return "".join([*kept, *([] if thinking else [text[at:]])]).strip()


def _quoted(text: str, start: int, end: int) -> bool:
    before = text[start - 1 : start] if start else ""
    return bool(before) and before in _QUOTES and text[end : end + 1] == before


def said(message: Any) -> str:
    """What a message of the chat protocol says, thoughts in its text included: parts in a row, parts of thought left
    out.

    `reasoning_content`, `reasoning` and parts of type `thinking` are never an answer.
    """
    content = message.get("content")
    if isinstance(content, list):
        parts = [
            part for part in content if isinstance(part, dict) and part.get("type", "text") in ("text", "output_text")
        ]
        content = "".join(str(part.get("text") or "") for part in parts)
    return content if isinstance(content, str) else ""
