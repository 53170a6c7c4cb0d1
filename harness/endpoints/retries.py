"""Retries: a request is repeated while the server is busy, after the wait that it asks for, within the rate limit."""

from __future__ import annotations

import email.utils
import re
import secrets
import socket
import threading
import time
from collections.abc import Callable
from typing import Final, TypeVar

from harness.base.errors import HarnessError, ModelError, Unavailable
from harness.base.redaction import redacted
from harness.endpoints.keys import Key

T = TypeVar("T")

BUSY: Final = frozenset({408, 409, 429, 500, 502, 503, 504, 529})
FIRST_WAIT: Final = 1.0
"""Seconds before the first retry; each further one waits twice as long, with jitter."""
LONGEST_WAIT: Final = 60.0
LONGEST_RETRY_AFTER: Final = 300.0
"""If a server asks for a longer wait than this, the request fails."""
MINUTE: Final = 60.0
_TOO_LONG: Final = re.compile(
    r"too (?:long|large|many (?:input )?tokens)"
    r"|(?:context|sequence|input|prompt|token)[ _]?(?:length|size|window|limit)"
    r"|maximum (?:context|input|sequence|number of tokens)|max(?:imum)? (?:allowed )?tokens"
    r"|tokens? (?:limit|maximum)|exceed|longer than|must have less than|reduce (?:the|your) ",
    re.IGNORECASE,
)
"""How servers say that a text is too long (OpenAI, Azure, Cohere, Mistral, Voyage, vLLM, TEI, Ollama)."""


class Retryable(Exception):
    """A failure that is worth another try, after `wait` seconds if the server asked for a wait.

    `done` says that the server may have done the work and may charge for it, though no usable answer came.
    """

    def __init__(self, why: str, wait: float | None = None, *, done: bool = False) -> None:
        super().__init__(why)
        self.wait, self.done = wait, done


class ResponseTooLarge(Exception):
    """An answer with more bytes than any answer of its kind; it is not read further, and not requested again."""

    def __init__(self, most: int) -> None:
        super().__init__(f"more than {most:,} bytes")


class RequestRefused(ModelError):
    """A server refused a request, and would refuse it again.

    Args:
        message: for the user.
        code: HTTP status.
        details: the server's message, without the key.
    """

    def __init__(self, message: str, code: int = 0, details: str = "") -> None:
        super().__init__(message)
        self.code, self.details = code, details

    @property
    def too_long(self) -> bool:
        """Whether the server says that a text is too long for the model."""
        return self.code == 413 or (self.code in (400, 422) and bool(_TOO_LONG.search(self.details)))


def pause(stopped: threading.Event, seconds: float) -> bool:
    """Waits; True if `stopped` was set meanwhile. Tests replace it."""
    return stopped.wait(seconds)


class RateLimit:
    """Spreads requests evenly, so that no minute has more than allowed.

    Args:
        requests: per minute; None for no limit.
        tokens: per minute, by our estimate; None for no limit.
    """

    def __init__(self, requests: int | None = None, tokens: int | None = None) -> None:
        self._requests, self._tokens = requests, tokens
        self._lock = threading.Lock()
        self._free = 0.0

    def turn(self, tokens: int, now: float) -> float:
        """Reserves the next slot for a request of so many tokens; returns the seconds until it starts."""
        by_requests = MINUTE / self._requests if self._requests else 0.0
        by_tokens = MINUTE * tokens / self._tokens if self._tokens else 0.0
        with self._lock:
            start = max(now, self._free)
            self._free = start + max(by_requests, by_tokens)
        return start - now

    def delay(self, until: float) -> None:
        """No slot starts before this time: a server that asks one request to wait means all."""
        with self._lock:
            self._free = max(self._free, until)


class Retrier:
    """Repeats a request until it is answered, refused, or out of retries.

    Args:
        who: name of the method, for messages.
        url: the address, for messages.
        key: removed from server messages.
        retries: how often one request is repeated.
        rate_limit: shared by all requests to the address.
    """

    def __init__(self, who: str, url: str, key: Key, retries: int, rate_limit: RateLimit | None = None) -> None:
        self._who, self._url, self._key, self._retries = who, url, key, retries
        self._rate_limit = rate_limit or RateLimit()
        self._stopped = threading.Event()

    def stop(self) -> None:
        """Ends all waiting: requests in flight are finished, none is repeated."""
        self._stopped.set()

    def call(self, once: Callable[[], T], tokens: int = 0, lost: Callable[[], HarnessError | None] = lambda: None) -> T:
        """The result of `once`, which is called again if it raises `Retryable`.

        Args:
            once: sends one request.
            tokens: of the request by our estimate, for the rate limit.
            lost: called for each request that the server may charge for though no answer came; returns an error if
                there must be no further request.

        Raises:
            ModelError: no usable answer, or `stop` was called while waiting.
            HarnessError: what `once` raises otherwise, or `lost` returns.
        """
        wait, reason = FIRST_WAIT, "stopped before the request was sent"
        tried = 0
        for tried in range(1, self._retries + 2):
            turn = self._rate_limit.turn(tokens, time.monotonic())
            if turn > 0 and pause(self._stopped, turn):
                break
            try:
                return once()
            except Retryable as failure:
                reason, retry_after = str(failure), failure.wait or 0.0
                over_cap = lost() if failure.done else None
            if tried > self._retries or retry_after > LONGEST_RETRY_AFTER:
                break
            if over_cap is not None:
                raise over_cap
            if retry_after:
                self._rate_limit.delay(time.monotonic() + retry_after)
            jittered = wait * (0.5 + secrets.randbelow(1000) / 1000)
            if pause(self._stopped, max(retry_after, min(jittered, LONGEST_WAIT))):
                break
            wait *= 2
        times = "1 try" if tried == 1 else f"{tried} tries"
        raise ModelError(
            f"{self._who}: {self._url} gave no usable answer after {times}; the last error: "
            f"{self._key.hidden(reason).rstrip('.')}. Earlier answers are cached. Run again later, or lower "
            "concurrency."
        )

    def error_of(self, code: int, message: str, model: str, retry_after: str | None = None) -> Exception:
        """The error for an HTTP status that is not 2xx: `Retryable`, or one that says what the user has to change."""
        details, shown = self._key.hidden(message), self.reported(message)
        if code in BUSY:  # the message is shown in the end: waiting does not help if, for example, a quota is used up
            wait = seconds_of(retry_after)
            after = "" if wait is None else f" (the server asks for a wait of {wait:,.0f} s)"
            return Retryable(f"HTTP {code}: {shown}{after}", wait)
        if code in (401, 403):
            return ModelError(
                f"{self._who}: {self._url} refuses {self._key} (HTTP {code}). Set {self._key.variable} to a valid key "
                "for this server, or key_variable to the variable that contains one."
            )
        if code == 404:
            return ModelError(
                f"{self._who}: {self._url} has no model {model!r}, or there is no such address (HTTP 404: {shown}). "
                "Correct model or url."
            )
        return RequestRefused(
            f"{self._who}: {self._url} refuses the request (HTTP {code}: {shown}). Correct model, url or the settings.",
            code,
            details,
        )

    def reported(self, message: str) -> str:
        """A server's message for reports: in one line, cut, without this key and others of the environment."""
        return " ".join(redacted(self._key.hidden(message)).split())[:300] or "no message"

    def no_answer(self, error: BaseException, timeout: float) -> Exception:
        """The error for a request without a whole answer: no server, an answer that is too large, or `Retryable`."""
        causes = _causes(error)
        if (large := next((e for e in causes if isinstance(e, ResponseTooLarge)), None)) is not None:
            return ModelError(
                f"{self._who}: {self._url} answers with {large}, which no valid answer has, so it is not read further. "
                "Correct url, or report it to the provider."
            )
        unreachable = next((str(e) for e in causes if isinstance(e, ConnectionRefusedError | socket.gaierror)), None)
        if unreachable is not None:
            reason = f"{self._who}: there is no server at {self._url} ({unreachable})."
            return Unavailable(reason, "Start it, or correct url.")
        return Retryable(f"no whole answer within {timeout:g} s ({type(error).__name__})", done=True)


def _causes(error: BaseException) -> list[BaseException]:
    """An error and all that led to it."""
    seen: list[BaseException] = []
    todo: list[object] = [error]
    while todo:
        at = todo.pop()
        if isinstance(at, BaseException) and at not in seen:
            seen.append(at)
            todo += [at.__cause__, at.__context__, getattr(at, "reason", None)]
    return seen


def seconds_of(header: str | None) -> float | None:
    """The seconds of a Retry-After header, in either of its forms (RFC 9110, 10.2.3)."""
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
