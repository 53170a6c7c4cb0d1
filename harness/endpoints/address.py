"""Addresses and keys: whose machine it is, and a secret that neither prints nor travels further than it must."""

from __future__ import annotations

import ipaddress
import os
import urllib.parse
from collections.abc import Callable

from harness.errors import SettingError, Unavailable


class Key:
    """The key for one address, read from the environment; `repr`, `str` and pickling show nothing of it.

    Args:
        who: the value that asks, for messages.
        url: the base of the address.
        variable: the environment variable that holds the key; a server on this machine needs none.

    Raises:
        Unavailable: no key for a server elsewhere.
        SettingError: it holds what no header can carry.
    """

    def __init__(self, who: str, url: str, variable: str) -> None:
        self.variable = variable
        held = os.environ.get(variable, "").strip()
        self._reveal: Callable[[], str] = lambda: held  # in a closure: no dump of attributes has it, and no pickle
        if not held and not is_local(url, who):
            raise Unavailable(
                f"{who}: {url} needs a key, and the environment variable {variable} is not set.",
                f"Set {variable}, or name the variable that holds it with key_variable.",
            )
        if not held.isascii() or not held.isprintable():
            raise SettingError(f"{who}: what {variable} holds is no key: it has characters that cannot be sent. Set it again.")

    def __bool__(self) -> bool:
        return bool(self._reveal())

    def __repr__(self) -> str:
        return f"Key({self.variable})"

    def reveal(self) -> str:
        """The key itself, for the header of a request and nothing else."""
        return self._reveal()

    def hidden(self, text: str) -> str:
        """A text from outside, as a server's message, with the key struck out."""
        return text.replace(self._reveal(), "***") if self else text

    def __str__(self) -> str:
        return f"the key in {self.variable}" if self else f"a request without a key ({self.variable} is not set)"


def host(url: str) -> str:
    """The host of an address, in lower case; empty where there is none."""
    try:
        return (urllib.parse.urlsplit(url).hostname or "").lower()
    except ValueError:
        return ""


def is_local(url: str, who: str = "endpoint") -> bool:
    """Whether an address is this machine's own.

    Raises:
        SettingError: no http or https address.
    """
    try:
        parts = urllib.parse.urlsplit(url)
        named = parts.hostname or ""
        _ = parts.port
    except ValueError:
        parts, named = urllib.parse.urlsplit(""), ""
    if parts.scheme not in ("http", "https") or not named or parts.username or parts.password or not url.isprintable():
        raise SettingError(
            f"{who}: url must be the base of an http or https address with no key in it, as https://api.openai.com/v1"
        )
    if parts.query or parts.fragment:
        raise SettingError(f"{who}: url must end with its path: what follows ? or # may hold a key, and would be written down")
    try:
        return ipaddress.ip_address(named).is_loopback
    except ValueError:
        return named == "localhost" or named.endswith(".localhost")
