"""An OpenAI-compatible server: one question of ours, one answer, with patience for a busy server and none for a wrong key."""

from __future__ import annotations

import email.utils
import http.client
import ipaddress
import json
import os
import secrets
import socket
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from harness.errors import HarnessError, ModelError, SettingError, Unavailable

BUSY: Final = frozenset({408, 429, 500, 502, 503, 504, 529})
FIRST_WAIT = 1.0
"""Seconds before the first repetition; each further one waits twice as long, with jitter."""
LONGEST_WAIT = 60.0
LONGEST_ASKED_WAIT = 300.0
"""A server that asks for a longer wait than this is not waited for."""


@dataclass(frozen=True)
class Answer:
    """What the server said.

    Args:
        text: empty where it refused or said nothing.
        tokens_in: of the prompt, as the server counted; 0 where it does not say.
        tokens_out: of the answer.
    """

    text: str
    tokens_in: int
    tokens_out: int


class _Again(Exception):
    """Worth another try, after `wait` seconds where the server said so."""

    def __init__(self, why: str, wait: float | None = None) -> None:
        super().__init__(why)
        self.wait = wait


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A key goes to the server that was named and to no other."""

    def redirect_request(self, *given: Any, **named: Any) -> None:
        return None


class Endpoint:
    """The `/chat/completions` of a server.

    Args:
        url: its base, as https://api.openai.com/v1.
        key_variable: the environment variable that holds the key; a server on this machine needs none.
        timeout: seconds for one answer.
        retries: repetitions of one request.

    Raises:
        SettingError: no http or https address.
        Unavailable: no key for a server elsewhere.
    """

    def __init__(self, url: str, key_variable: str, timeout: float, retries: int) -> None:
        self._url = f"{url.rstrip('/')}/chat/completions"
        self._variable, self._timeout, self._retries = key_variable, timeout, retries
        self._key = os.environ.get(key_variable, "").strip()
        self._stopped = threading.Event()
        local = is_local(url)
        if not self._key and not local:
            raise Unavailable(
                f"chat: {url} needs a key, and the environment variable {key_variable} is not set.",
                f"Set {key_variable}, or name the variable that holds it with key_variable.",
            )
        if not self._key.isascii() or not self._key.isprintable():
            raise SettingError(f"chat: what {key_variable} holds is no key: it has characters that cannot be sent. Set it again.")
        proxies = urllib.request.ProxyHandler({} if local else None)
        self._opener = urllib.request.build_opener(_NoRedirects, proxies)

    def stop(self) -> None:
        """Ends all waiting: requests under way are finished, none is repeated."""
        self._stopped.set()

    def ask(self, body: Mapping[str, Any]) -> Answer:
        """Sends one request, again where the server is busy, slow or answers no JSON.

        Raises:
            ModelError: the server refuses the key, the model or the request, or never answers well.
            Unavailable: there is no server.
        """
        wait = FIRST_WAIT
        for tried in range(self._retries + 1):
            try:
                return self._once(body)
            except _Again as again:
                told, asked = str(again), again.wait
            if tried == self._retries or (asked or 0) > LONGEST_ASKED_WAIT:
                break
            jittered = wait * (0.5 + secrets.randbelow(1000) / 1000)
            if self._stopped.wait(max(asked or 0.0, min(jittered, LONGEST_WAIT))):
                break
            wait *= 2
        raise ModelError(
            f"chat: {self._url} gave no usable answer after {tried + 1} tries; the last: {self._hidden(told)}. What was answered "
            "before is kept: run again later, or lower concurrency."
        )

    def _once(self, body: Mapping[str, Any]) -> Answer:
        headers = {"Content-Type": "application/json", "Accept": "application/json", "User-Agent": "retrieval-harness"}
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        request = urllib.request.Request(self._url, json.dumps(body).encode(), headers, method="POST")
        try:
            with self._opener.open(request, timeout=self._timeout) as response:
                raw = response.read()
        except urllib.error.HTTPError as error:
            with error:
                raise self._refusal(error, str(body.get("model"))) from None
        except (OSError, http.client.HTTPException) as error:  # URLError and timeouts are OSErrors
            reason = getattr(error, "reason", error)
            if isinstance(reason, ConnectionRefusedError | socket.gaierror):
                raise Unavailable(f"chat: there is no server at {self._url} ({reason}).", "Start it, or mend url.") from None
            raise _Again(f"no whole answer within {self._timeout:g} s ({type(reason).__name__})") from None
        return _read(raw)

    def _refusal(self, error: urllib.error.HTTPError, model: str) -> HarnessError | _Again:
        if error.code in BUSY:
            return _Again(f"HTTP {error.code}", _asked_wait(error.headers.get("Retry-After")))
        if error.code in (401, 403):
            held = f"the key in {self._variable}" if self._key else f"a request without a key ({self._variable} is not set)"
            return ModelError(
                f"chat: {self._url} refuses {held} (HTTP {error.code}). Set {self._variable} to a key that may ask."
            )
        told = self._hidden(_message(error))
        if error.code == 404:
            return ModelError(
                f"chat: {self._url} knows no model {model!r} or no such address (HTTP 404: {told}). Mend model or url."
            )
        return ModelError(f"chat: {self._url} refuses the request (HTTP {error.code}: {told}). Mend model, url or the settings.")

    def _hidden(self, text: str) -> str:
        return text.replace(self._key, "***") if self._key else text


def is_local(url: str) -> bool:
    """Whether an address is this machine's own.

    Raises:
        SettingError: no http or https address.
    """
    try:
        parts = urllib.parse.urlsplit(url)
        host = parts.hostname or ""
        _ = parts.port
    except ValueError:
        parts, host = urllib.parse.urlsplit(""), ""
    if parts.scheme not in ("http", "https") or not host or parts.username or parts.password or not url.isprintable():
        raise SettingError(
            "chat: url must be the base of an http or https address with no key in it, as https://api.openai.com/v1"
        )
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _read(raw: bytes) -> Answer:
    """The text of the first choice, and the usage.

    Raises:
        _Again: no JSON, or none of the protocol.
    """
    try:
        told = json.loads(raw)
        message = told["choices"][0]["message"]
        content = message.get("content")
        usage = told.get("usage") or {}
        tokens = [int(usage.get(name) or 0) for name in ("prompt_tokens", "completion_tokens")]
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError):
        raise _Again("an answer that is not JSON of the chat protocol") from None
    return Answer(content if isinstance(content, str) else "", *tokens)


def _asked_wait(header: str | None) -> float | None:
    """Seconds that Retry-After asks for, in either of its forms."""
    if header is None:
        return None
    try:
        return max(0.0, float(header))
    except ValueError:
        pass
    try:
        return max(0.0, email.utils.parsedate_to_datetime(header).timestamp() - time.time())
    except (ValueError, TypeError):
        return None


def _message(error: urllib.error.HTTPError) -> str:
    try:
        raw = error.read(4096)
    except (OSError, http.client.HTTPException):
        return "no message"
    try:
        held = json.loads(raw)["error"]
        text = str(held["message"] if isinstance(held, dict) else held)
    except (ValueError, KeyError, TypeError):
        text = raw.decode("utf-8", "replace")
    return " ".join(text.split())[:300] or "no message"
