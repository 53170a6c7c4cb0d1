"""Redaction: keys are struck out of what is reported (records, messages, logs), in every form in which a server may
repeat one.

Data is never changed: passages, answers and vectors stay as they are, and an answer that repeats a key is refused as a
whole (`harness.endpoints.chat`). Where a key is a common word, as `test` or `none`, striking it out of a report would
damage the report and protect nothing, so only `telling` keys are looked for in whole reports.
"""

from __future__ import annotations

import base64
import functools
import html
import json
import logging
import os
import re
import urllib.parse
from collections.abc import Iterable
from typing import Final

STRUCK: Final = "***"
LEAST: Final = 8
"""Characters of a key that is looked for in reports."""
LONG: Final = 20
"""Characters from which a key of letters only is no word."""
_NAMES: Final = re.compile(
    r"(?:^|_)(?:API_?KEY|ACCESS_KEY|KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIALS?)$", re.IGNORECASE
)
_read_from: set[str] = set()


def remember(variable: str) -> None:
    """Says that an environment variable holds a key, whatever its name is. The variable's name is remembered, never the
    key.
    """
    _read_from.add(variable)


def telling(secret: str) -> bool:
    """Whether a secret can be told from the words of a report: 8 characters or more, of which not all are letters or
    digits.
    """
    if len(secret) < LEAST or not any(c.isalpha() for c in secret):
        return False
    return len(secret) >= LONG or not secret.isalpha()


@functools.lru_cache(maxsize=64)
def forms(secret: str) -> tuple[str, ...]:
    """A secret as it may stand in a text: raw, percent-encoded, escaped as JSON or HTML, in base64 and in hexadecimal.

    Base64 encodes three bytes at a time, so a secret inside a longer text has one of three spellings; each is given
    without the characters at its ends that hang on what is around it. Long forms come first.
    """
    raw = secret.encode()
    found = {
        secret,
        urllib.parse.quote(secret, safe=""),
        urllib.parse.quote(secret),
        urllib.parse.quote_plus(secret),
        "".join(f"%{byte:02X}" for byte in raw),
        "".join(f"%{byte:02x}" for byte in raw),
        "".join(f"\\u{ord(c):04x}" for c in secret),
        json.dumps(secret)[1:-1],
        html.escape(secret),
        raw.hex(),
        raw.hex().upper(),
    }
    for before in range(3):
        start = -(-before * 8 // 6)  # characters that hold bits of what comes before
        whole = (before + len(raw)) * 8 // 6  # characters that hold no bit of what follows
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            found.add(encode(b"\0" * before + raw).decode()[start:whole])
    return tuple(sorted(found, key=lambda form: (-len(form), form)))


def holds(text: str, secret: str) -> bool:
    """Whether a text repeats a telling secret in any form."""
    return telling(secret) and any(form in text for form in forms(secret))


def struck(text: str, secret: str) -> str:
    """A message from a server with the key that it was sent struck out; of a key that is no telling one, whole
    words.
    """
    if not secret:
        return text
    if not telling(secret):
        return re.sub(rf"(?<!\w){re.escape(secret)}(?!\w)", STRUCK, text)
    for form in forms(secret):
        text = text.replace(form, STRUCK)
    for length in range(len(secret) - 1, LEAST - 1, -1):  # a message that was cut in the middle of the key
        if text.endswith(secret[:length]):
            return text[:-length] + STRUCK
    return text


def redacted(text: str, more: Iterable[str] = ()) -> str:
    """A report without the keys of this environment.

    Args:
        text: of a record, a message or a log, as text or JSON.
        more: secrets besides those of the environment.
    """
    for secret in {*_secrets(), *more}:
        for form in forms(secret):
            text = text.replace(form, STRUCK)
    return text


def redact_log(record: logging.LogRecord) -> bool:
    """A filter for a handler: what is logged goes out without the keys of this environment."""
    message = record.getMessage()
    if (told := redacted(message)) != message:
        record.msg, record.args = told, ()
    return True


def _secrets() -> set[str]:
    held = {value.strip() for name, value in os.environ.items() if name in _read_from or _NAMES.search(name)}
    return {value for value in held if telling(value)}
