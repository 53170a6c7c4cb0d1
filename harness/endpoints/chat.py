"""An OpenAI-compatible chat server: one request of ours, one answer, with patience for a busy server and none for a wrong key."""

from __future__ import annotations

import http.client
import json
import re
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from harness.endpoints.address import Key, is_local
from harness.endpoints.meter import counted
from harness.endpoints.patience import Again, Pace, Patience
from harness.errors import HarnessError


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


_THOUGHT: Final = re.compile(r"\A\s*<think>.*?(?:</think>\s*|\Z)", re.DOTALL)


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A key goes to the server that was named and to no other."""

    def redirect_request(self, *given: Any, **named: Any) -> None:
        return None


class Endpoint:
    """The `/chat/completions` of a server.

    Args:
        who: the value that asks, for messages.
        url: its base, as https://api.openai.com/v1.
        key_variable: the environment variable that holds the key; a server on this machine needs none.
        timeout: seconds in which nothing further of an answer comes.
        retries: repetitions of one request.
        pace: how fast requests may follow each other.

    Raises:
        SettingError: no http or https address.
        Unavailable: no key for a server elsewhere.
    """

    def __init__(self, who: str, url: str, key_variable: str, timeout: float, retries: int, pace: Pace | None = None) -> None:
        self._url, self._timeout = f"{url.rstrip('/')}/chat/completions", timeout
        self._key = Key(who, url, key_variable)
        self._patience = Patience(who, self._url, self._key, retries, pace)
        proxies = urllib.request.ProxyHandler({} if is_local(url, who) else None)
        self._opener = urllib.request.build_opener(_NoRedirects, proxies)

    def stop(self) -> None:
        """Ends all waiting: requests under way are finished, none is repeated."""
        self._patience.stop()

    def ask(self, body: Mapping[str, Any], tokens: int = 0, lost: Callable[[], HarnessError | None] = lambda: None) -> Answer:
        """Sends one request, again where the server is busy, slow or answers no JSON.

        Args:
            body: JSON-safe.
            tokens: what it takes by our estimate, for the pace.
            lost: see `Patience.asked`.

        Raises:
            ModelError: the server refuses the key, the model or the request, or never answers well.
            Unavailable: there is no server.
        """
        return self._patience.asked(lambda: self._once(body), tokens, lost)

    def _once(self, body: Mapping[str, Any]) -> Answer:
        headers = {"Content-Type": "application/json", "Accept": "application/json", "User-Agent": "retrieval-harness"}
        if self._key:
            headers["Authorization"] = f"Bearer {self._key.reveal()}"
        request = urllib.request.Request(self._url, json.dumps(body).encode(), headers, method="POST")
        try:
            with self._opener.open(request, timeout=self._timeout) as response:
                raw = response.read()
        except urllib.error.HTTPError as error:
            with error:
                told, asked = _message(error), error.headers.get("Retry-After")
            raise self._patience.refusal(error.code, told, str(body.get("model")), asked) from None
        except (OSError, http.client.HTTPException) as error:  # URLError and timeouts are OSErrors
            raise self._patience.silence(error, self._timeout) from None
        answer = _read(raw)
        return replace(answer, text=self._key.hidden(answer.text))  # it is kept, and a server may repeat what it was sent


def _read(raw: bytes) -> Answer:
    """The text of the first choice, and the usage.

    Raises:
        Again: no JSON, or none of the protocol.
    """
    try:
        told = json.loads(raw)
        message = told["choices"][0]["message"]
        content = _said(message.get("content"))
        usage = told.get("usage") or {}
        tokens = [counted(usage.get(name)) for name in ("prompt_tokens", "completion_tokens")]
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError):
        raise Again("an answer that is not JSON of the chat protocol", done=True) from None
    return Answer(content, *tokens)


def _said(content: Any) -> str:
    """The answer's text: parts in a row, and without what a reasoning model thought aloud before it.

    A thought that breaks off, for want of tokens, has no answer behind it.
    """
    if isinstance(content, list):
        content = "".join(str(part.get("text") or "") for part in content if isinstance(part, dict))
    return _THOUGHT.sub("", content) if isinstance(content, str) else ""


def _message(error: urllib.error.HTTPError) -> str:
    try:
        raw = error.read(4096)
    except (OSError, http.client.HTTPException):
        return "no message"
    try:
        held = json.loads(raw)["error"]
        return str(held["message"] if isinstance(held, dict) else held)
    except (ValueError, KeyError, TypeError):
        return raw.decode("utf-8", "replace")
