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

from harness.base.errors import SettingError

STRUCK: Final = "***"
LEAST: Final = 8
"""Characters of a key that is looked for in reports."""
IN_NAMES: Final = 16
"""Characters of a key with which no dataset or row may be named."""
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
    """Whether a text repeats a telling secret in any form, in capitals or small letters."""
    return telling(secret) and _without(text, text.lower(), secret) != text


def struck(text: str, secret: str) -> str:
    """A message from a server with the key that it was sent struck out; of a key that is no telling one, whole
    words.
    """
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
    """A filter for a handler: what is logged goes out without the keys of this environment."""
    message = record.getMessage()
    if (told := redacted(message)) != message:
        record.msg, record.args = told, ()
    return True


def check_name(name: str, what: str) -> None:
    """Refuses a name that holds a key: names become folders, links and metadata of the cache, in which no key can be
    struck out.

    Shorter keys pass, since a path may well hold a short word; they are struck out of reports as all are.

    Args:
        name: of a dataset or row.
        what: it is a name of, as `dataset`.

    Raises:
        SettingError: it holds the value of a key's variable, of 16 characters or more; the message holds neither name
            nor key.
    """
    for variable, secret in _keys().items():
        if len(secret) >= IN_NAMES and holds(name, secret):
            raise SettingError(
                f"the name of a {what} holds the key of the environment variable {variable}, and would be written into "
                f"the names "
                f"of folders, into pages and into the cache. Rename the file, folder or setting, or unset {variable}."
            )


def _secrets() -> set[str]:
    return {value for value in _keys().values() if telling(value)}


def _keys() -> dict[str, str]:
    """Variable → the key that it holds."""
    return {name: value.strip() for name, value in os.environ.items() if name in _read_from or _NAMES.search(name)}
