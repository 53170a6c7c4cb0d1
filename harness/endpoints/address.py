"""Addresses: whose machine one is, and whether requests to it are encrypted."""

from __future__ import annotations

import ipaddress
import urllib.parse
from typing import Final

from harness.base.errors import SettingError

_INSIDE: Final = (".local", ".internal", ".lan", ".home.arpa", ".svc")
"""Suffixes of names that are not public (RFC 6762, RFC 8375, and names that clusters and routers use)."""


def host(url: str) -> str:
    """The host of an address, in lower case; empty if there is none."""
    try:
        return (urllib.parse.urlsplit(url).hostname or "").lower()
    except ValueError:
        return ""


def is_local(url: str, who: str = "endpoint") -> bool:
    """Whether an address is this machine's own.

    Raises:
        SettingError: it is not an http or https address, or may contain a key.
    """
    try:
        parts = urllib.parse.urlsplit(url)
        named = parts.hostname or ""
        _ = parts.port
    except ValueError:
        parts, named = urllib.parse.urlsplit(""), ""
    if parts.scheme not in ("http", "https") or not named or parts.username or parts.password or not url.isprintable():
        raise SettingError(
            f"{who}: url must be the base of an http or https address without a key, as https://api.openai.com/v1"
        )
    if parts.query or parts.fragment:
        raise SettingError(
            f"{who}: url must have no ? or # part: it may contain a key, and the url is stored in records"
        )
    try:
        return ipaddress.ip_address(named).is_loopback
    except ValueError:
        return named == "localhost" or named.endswith(".localhost")


def is_inside(url: str) -> bool:
    """Whether an address is in a private network: a private or link-local number, a name without a dot or in
    `_INSIDE`.
    """
    named = host(url)
    try:
        number = ipaddress.ip_address(named)
    except ValueError:
        return bool(named) and ("." not in named or named.endswith(_INSIDE))
    return number.is_private or number.is_link_local


def is_encrypted(url: str) -> bool:
    """Whether an address is https."""
    return urllib.parse.urlsplit(url).scheme == "https"
