"""Redaction: API keys are removed from what is reported (records, messages, logs), in every form a server may repeat.

Data is never changed: passages, answers and vectors stay as they are, and an answer that repeats a key is refused as a
whole (`harness.endpoints.chat`). If a key is a common word, as `test` or `none`, removing it from a report would
damage the report and protect nothing, so only `telling` keys are searched for in whole reports.
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

from harness.base.errors import SettingError

STRUCK: Final = "***"
LEAST: Final = 8
"""Least length of a key that is searched for in reports."""
IN_NAMES: Final = 16
"""Least length of a key that no name of a dataset or row may contain."""
LONG: Final = 20
"""Least length at which a key of letters only is not taken for a word."""
_NAMES: Final = re.compile(
    r"(?:^|_)(?:API_?KEY|ACCESS_KEY|KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIALS?)$", re.IGNORECASE
)
_read_from: set[str] = set()


def remember(variable: str) -> None:
    """Notes that an environment variable contains a key, whatever its name. The key itself is not stored."""
    _read_from.add(variable)


def telling(secret: str) -> bool:
    """Whether a secret differs from ordinary words: 8 characters or more that are not only digits, or only letters."""
    if len(secret) < LEAST or not any(c.isalpha() for c in secret):
        return False
    return len(secret) >= LONG or not secret.isalpha()


@functools.lru_cache(maxsize=64)
def forms(secret: str) -> tuple[str, ...]:
    """A secret as it may occur in a text: raw, percent-encoded, escaped as JSON or HTML, in base64 and in hexadecimal.

    Base64 encodes three bytes at a time, so a secret inside a longer text has one of three spellings; each is given
    without the characters at its ends that depend on the text around it. Long forms come first.
    """
    raw = secret.encode()
    spellings = {
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
        start = -(-before * 8 // 6)  # characters with bits of the text before it
        whole = (before + len(raw)) * 8 // 6  # characters without bits of the text after it
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            spellings.add(encode(b"\0" * before + raw).decode()[start:whole])
    return tuple(sorted(spellings, key=lambda form: (-len(form), form)))


def holds(text: str, secret: str) -> bool:
    """Whether a text contains a telling secret in any form, in upper or lower case."""
    return telling(secret) and _without(text, text.lower(), secret) != text


def struck(text: str, secret: str) -> str:
    """A server's message without the key that was sent to it; a key that is not telling is removed as a whole word."""
    if not secret:
        return text
    if not telling(secret):
        return re.sub(rf"(?<!\w){re.escape(secret)}(?!\w)", STRUCK, text)
    text = _without(text, text.lower(), secret)
    for length in range(len(secret) - 1, LEAST - 1, -1):  # a message that was cut in the middle of the key
        if text[-length:].lower() == secret[:length].lower():
            return text[:-length] + STRUCK
    return text


def redacted(text: str, more: Iterable[str] = ()) -> str:
    """A report without the keys of this environment.

    Args:
        text: of a record, a message or a log, as text or JSON.
        more: secrets besides those of the environment.
    """
    lower = text.lower()
    for secret in {*_secrets(), *more}:
        clean = _without(text, lower, secret)
        if clean != text:
            text, lower = clean, clean.lower()
    return text


def _without(text: str, lower: str, secret: str) -> str:
    """A text without a secret; `lower` is the text in small letters, in which a plain search is fast."""
    if any(form.lower() in lower for form in forms(secret)):
        text = _pattern(secret).sub(STRUCK, text)
    if "%25" in text:  # a percent sign that was itself percent-encoded
        text = _encoded(secret).sub(STRUCK, text)
    return text


@functools.lru_cache(maxsize=64)
def _pattern(secret: str) -> re.Pattern[str]:
    return re.compile("|".join(map(re.escape, forms(secret))), re.IGNORECASE)


@functools.lru_cache(maxsize=64)
def _encoded(secret: str) -> re.Pattern[str]:
    """A secret of which any character may be percent-encoded, any number of times."""
    characters = ((re.escape(c), "".join(f"%(?:25)*{byte:02x}" for byte in c.encode())) for c in secret)
    return re.compile("".join(f"(?:{plain}|{encoded})" for plain, encoded in characters), re.IGNORECASE)


def redact_log(record: logging.LogRecord) -> bool:
    """A filter for a log handler: removes the keys of this environment from messages."""
    message = record.getMessage()
    if (clean := redacted(message)) != message:
        record.msg, record.args = clean, ()
    return True


def check_name(name: str, what: str) -> None:
    """Refuses a name that contains a key: names become folders, links and metadata, from which no key can be removed.

    Shorter keys pass, since a path may contain a short word; they are removed from reports like all keys.

    Args:
        name: of a dataset or row.
        what: it is a name of, as `dataset`.

    Raises:
        SettingError: it contains the value of a key's variable, of 16 characters or more; the message contains neither
            the name nor the key.
    """
    for variable, secret in _keys().items():
        if len(secret) >= IN_NAMES and holds(name, secret):
            raise SettingError(
                f"the name of a {what} contains the key in the environment variable {variable}, and names are written "
                f"to folders, pages and the cache. Rename the file, folder or setting, or unset {variable}."
            )


def _secrets() -> set[str]:
    return {value for value in _keys().values() if telling(value)}


def _keys() -> dict[str, str]:
    """Variable → its key."""
    return {name: value.strip() for name, value in os.environ.items() if name in _read_from or _NAMES.search(name)}
