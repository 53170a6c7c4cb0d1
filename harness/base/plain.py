r"""Text that came from data, made safe to show: no character in it controls a terminal or a page.

Query texts, ids, titles, names of files and answers of servers come from outside. A control character in them can
colour, move or retitle a terminal, a bidirectional override can reverse what follows it, and a lone surrogate cannot be
encoded. Each is replaced by its escape as Python writes it, as `\x1b`, which is visible and says what was there. Marks
that text needs (U+200E, U+200F, joiners) stay. Every output of the harness passes text through here:
`harness.report.screen` for terminals and logs, and the writers in `harness/report` for files.
"""

from __future__ import annotations

import re

from harness.base.errors import SettingError

_CONTROLS = re.compile(
    "["
    "\x00-\x08\x0b-\x1f\x7f-\x9f"  # C0 without tab and line feed, delete, C1
    "\u2028\u2029"  # line and paragraph separator
    "\u202a-\u202e\u2066-\u2069\u206a-\u206f"  # bidirectional embeddings, overrides, isolates; deprecated formats
    "\ufff9-\ufffb"  # interlinear annotation
    "\U000e0000-\U000e007f"  # tags, which are invisible
    "\ud800-\udfff"  # lone surrogates
    "]"
)


def plain(text: str) -> str:
    """The text with control characters and lone surrogates as visible escapes; line feeds and tabs stay."""
    if text.isascii() and text.isprintable():  # nearly all text, and many times as fast
        return text
    return _CONTROLS.sub(_escape, text)


def one_line(text: str) -> str:
    """The same on one line: line breaks and tabs become spaces, so that no data can begin a line of its own."""
    return plain(re.sub(r"[\r\n\t]+", " ", text))


def check_text(text: str) -> None:
    """Refuses a text that no record can contain, as a file's name with bytes that are not UTF-8.

    Raises:
        SettingError: it has a lone surrogate.
    """
    try:
        text.encode()
    except UnicodeEncodeError as error:
        fault = f"{text[:80]!r} contains {text[error.start]!r}, which is not text (bytes that are not UTF-8?)"
        raise SettingError(f"{fault}; rename the file or folder, or write the character itself.") from error


def _escape(match: re.Match[str]) -> str:
    code = ord(match.group())
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
