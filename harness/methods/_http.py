"""Requests to a search server: what is sent, what of the answer counts, and which failures are tried again."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import httpx

from harness.base.errors import HarnessError, Unavailable
from harness.base.optional import library
from harness.base.redaction import redacted
from harness.endpoints import retries
from harness.endpoints.keys import Key
from harness.endpoints.retries import BUSY, LONGEST_RETRY_AFTER, LONGEST_WAIT, RateLimit, Retryable, seconds_of
from harness.endpoints.wire import client

SHOWN: Final = 200
"""Characters of an answer that a message repeats."""


class NoKey(Key):
    """No key: nothing is added to a request.

    Args:
        variable: where a key would be read from, for messages.
    """

    def __init__(self, variable: str) -> None:
        self.variable = variable
        self._reveal = lambda: ""


@dataclass
class Sent:
    """What requests took, counted as they are answered; thread-safe with its lock."""

    seconds: list[float] = field(default_factory=list)
    failures: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)


@dataclass(frozen=True)
class Limits:
    """How long and how often one request is tried.

    Args:
        timeout: seconds for one whole answer.
        retries: how often a request is repeated while the server is busy.
        rate: shared by all requests.
    """

    timeout: float
    retries: int
    rate: RateLimit


class SearchServer:
    """Sends search requests to one address.

    Args:
        url: of the search.
        key: for the header `Authorization`; `NoKey` for none.
        limits: of each request.
    """

    def __init__(self, url: str, key: Key, limits: Limits) -> None:
        self.url, self._key, self._limits = url, key, limits
        self._client, self._wire = client(key, url, limits.timeout)
        self.sent = Sent()

    def ask(self, body: str, queries: str, stopped: threading.Event) -> Any:
        """The JSON that the server answers to one request.

        Args:
            body: JSON.
            queries: that it is about, for messages.
            stopped: ends all waiting when it is set; no request is repeated then.

        Raises:
            Unavailable: there is no server, and none has answered before.
            HarnessError: no usable answer after all tries, or the request is refused.
        """
        wait, reason, tried = retries.FIRST_WAIT, "stopped before it was sent", 0
        for tried in range(1, self._limits.retries + 2):
            turn = self._limits.rate.turn(0, time.monotonic())
            if turn > 0 and retries.pause(stopped, turn):
                break
            try:
                return self._once(body, queries)
            except Retryable as failure:
                reason, asked = str(failure), failure.wait or 0.0
                with self.sent.lock:
                    self.sent.failures[reason.partition(":")[0]] += 1
            if tried > self._limits.retries or asked > LONGEST_RETRY_AFTER:
                break
            if asked:
                self._limits.rate.delay(time.monotonic() + asked)
            if retries.pause(stopped, max(asked, min(wait, LONGEST_WAIT))):
                break
            wait *= 2
        times = "1 try" if tried == 1 else f"{tried} tries"
        answered = f" {len(self.sent.seconds):,} requests were answered before." if self.sent.seconds else ""
        raise HarnessError(
            f"{self.url} gave no usable answer for {queries} after {times}; the last error: {reason.rstrip('.')}."
            f"{answered} Repair the server and run again, or raise timeout or retries, or set requests_per_minute."
        )

    def _once(self, body: str, queries: str) -> Any:
        started = time.perf_counter()
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        try:
            answer = self._client.post(self.url, content=body.encode(), headers=headers)
        except httpx.ConnectError as error:
            if not self.sent.seconds:
                reason = f"there is no server at {self.url} ({error})."
                raise Unavailable(reason, "Start it, or correct url.") from error
            raise Retryable(f"the server is gone: {error}") from error
        except httpx.DecodingError as error:
            raise HarnessError(f"{self.url} answered {queries} with {error}.") from error
        except httpx.TransportError as error:
            if "bytes" in str(error):  # ResponseTooLarge
                raise HarnessError(f"{self.url} answered {queries} with {error}; lower k or batch.") from error
            if isinstance(error, httpx.TimeoutException):
                raise Retryable(f"no whole answer within {self._limits.timeout:g} s: {type(error).__name__}") from error
            raise Retryable(
                f"the server ended the connection without an answer ({type(error).__name__}); its log says why"
            ) from error
        if answer.status_code != 200:
            raise self._refusal(answer, queries)
        with self.sent.lock:
            self.sent.seconds.append(time.perf_counter() - started)
        try:
            return json.loads(answer.content)
        except (ValueError, RecursionError) as error:
            raise HarnessError(
                f"{self.url} answered {queries} with what is no JSON: {self._shown(answer.content)}."
            ) from error

    def _refusal(self, answer: httpx.Response, queries: str) -> Exception:
        code, shown = answer.status_code, self._shown(answer.content)
        if code in BUSY:
            wait = seconds_of(answer.headers.get("retry-after"))
            asks = "" if wait is None else f" (it asks for a wait of {wait:,.0f} s)"
            return Retryable(f"HTTP {code}: {shown}{asks}", wait)
        if code in (401, 403):
            remedy = f"Set {self._key.variable} to a valid key, or key_variable to the variable that contains one."
        elif 300 <= code < 400:
            remedy = "Redirects are not followed: set url to where it leads."
        else:
            remedy = "Correct url, or request, if the server has its own form."
        return HarnessError(f"{self.url} refused {queries} (HTTP {code}: {shown}). {remedy}")

    def _shown(self, content: bytes) -> str:
        text = content[: 4 * SHOWN].decode("utf-8", "replace")
        return " ".join(redacted(self._key.hidden(text)).split())[:SHOWN] or "nothing"


def template(source: str) -> Callable[..., str]:
    """A request as a function of `query` (text), `queries` (texts) and `k`.

    Args:
        source: in the notation of Jinja, with its filter `tojson`.

    Raises:
        HarnessError: it is no template, or uses another name.
    """
    import jinja2
    from jinja2.sandbox import SandboxedEnvironment

    environment = SandboxedEnvironment(undefined=jinja2.StrictUndefined)
    try:
        made = environment.from_string(source)
    except jinja2.TemplateError as error:
        raise HarnessError(f"http: request is no template: {error}.") from error

    def render(**names: Any) -> str:
        try:
            return made.render(**names)
        except jinja2.TemplateError as error:
            raise HarnessError(f"http: request cannot be filled in: {error}; it has query, queries and k.") from error

    return render


def json_path(path: str, setting: str) -> Callable[[Any], list[Any]]:
    """The values at a JSONPath of an answer, in their order.

    Raises:
        Unavailable: the library is not installed.
        HarnessError: it is no JSONPath.
    """
    library("jsonpath_ng", "http")
    extended: Any = library("jsonpath_ng.ext", "http")
    try:
        made = extended.parse(path)
    except Exception as error:  # several kinds, of its parser and its lexer
        raise HarnessError(f"http: {setting} is no JSONPath: {path!r} ({error}).") from error
    return lambda answer: [match.value for match in made.find(answer)]
