"""Patience: a request again where the server is busy, later where it says so, and never faster than is allowed."""

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
"""Seconds before the first repetition; each further one waits twice as long, with jitter."""
LONGEST_WAIT: Final = 60.0
LONGEST_ASKED_WAIT: Final = 300.0
"""A server that asks for a longer wait than this is not waited for."""
MINUTE: Final = 60.0
_LONG: Final = re.compile(
    r"too (?:long|large|many (?:input )?tokens)|(?:context|sequence|input|prompt|token)[ "
    r"_]?(?:length|size|window|limit)"
    r"|maximum (?:context|input|sequence|number of tokens)|max(?:imum)? (?:allowed )?tokens|tokens? "
    r"(?:limit|maximum)|exceed"
    r"|longer than|must have less than|reduce (?:the|your) ",
    re.IGNORECASE,
)
"""How servers say that a text is too long (OpenAI, Azure, Cohere, Mistral, Voyage, vLLM, TEI, Ollama)."""


class Again(Exception):
    """Worth another try, after `wait` seconds where the server said so.

    `done` says that the server may have done the work and count it, though no usable answer came.
    """

    def __init__(self, why: str, wait: float | None = None, *, done: bool = False) -> None:
        super().__init__(why)
        self.wait, self.done = wait, done


class Endless(Exception):
    """An answer with more bytes than any answer of its kind has; it is left, and not asked for again."""

    def __init__(self, most: int) -> None:
        super().__init__(f"more than {most:,} bytes")


class Refused(ModelError):
    """A server's refusal of what was asked, which the same request again would not mend.

    Args:
        message: for people.
        code: HTTP status.
        told: what the server said, the key struck out.
    """

    def __init__(self, message: str, code: int = 0, told: str = "") -> None:
        super().__init__(message)
        self.code, self.told = code, told

    @property
    def too_long(self) -> bool:
        """Whether the server says that a text is too long for the model."""
        return self.code == 413 or (self.code in (400, 422) and bool(_LONG.search(self.told)))


def pause(stopped: threading.Event, seconds: float) -> bool:
    """Waits; True where it was told to stop meanwhile. Tests put another in its place."""
    return stopped.wait(seconds)


class Pace:
    """Spreads requests evenly, so that no minute sees more than is allowed.

    Args:
        requests: a minute; None for no limit.
        tokens: a minute, by our estimate; None for no limit.
    """

    def __init__(self, requests: int | None = None, tokens: int | None = None) -> None:
        self._requests, self._tokens = requests, tokens
        self._guard = threading.Lock()
        self._free = 0.0

    def turn(self, tokens: int, now: float) -> float:
        """Takes the next turn for a request of so many tokens; returns the seconds to wait for it."""
        share = max(
            MINUTE / self._requests if self._requests else 0.0,
            MINUTE * tokens / self._tokens if self._tokens else 0.0,
        )
        with self._guard:
            start = max(now, self._free)
            self._free = start + share
        return start - now

    def hold(self, until: float) -> None:
        """Nobody's turn comes before this time: the server asked one of us to wait, and meant all."""
        with self._guard:
            self._free = max(self._free, until)


class Patience:
    """Asks until there is an answer, a refusal, or no patience left.

    Args:
        who: the value that asks, for messages.
        url: where, for messages.
        key: struck out of what servers say.
        retries: repetitions of one request.
        pace: shared by all requests to the address.
    """

    def __init__(self, who: str, url: str, key: Key, retries: int, pace: Pace | None = None) -> None:
        self._who, self._url, self._key, self._retries = who, url, key, retries
        self._pace = pace or Pace()
        self._stopped = threading.Event()

    def stop(self) -> None:
        """Ends all waiting: requests under way are finished, none is repeated."""
        self._stopped.set()

    def asked(
        self, once: Callable[[], T], tokens: int = 0, lost: Callable[[], HarnessError | None] = lambda: None
    ) -> T:
        """What `once` gives; called again where it raises `Again`.

        Args:
            once: one request.
            tokens: what it takes by our estimate, for the pace.
            lost: told of each request that the server may count without an answer; says why there can be no other, if
                so.

        Raises:
            ModelError: never a usable answer, or told to stop while waiting.
            HarnessError: what `once` raises otherwise, and what `lost` says.
        """
        wait, told = FIRST_WAIT, "stopped before it was asked"
        tried = 0
        for tried in range(1, self._retries + 2):
            turn = self._pace.turn(tokens, time.monotonic())
            if turn > 0 and pause(self._stopped, turn):
                break
            try:
                return once()
            except Again as again:
                told, asked = str(again), again.wait
                full = lost() if again.done else None
            if tried > self._retries or (asked or 0) > LONGEST_ASKED_WAIT:
                break
            if full is not None:
                raise full
            if asked:
                self._pace.hold(time.monotonic() + asked)
            jittered = wait * (0.5 + secrets.randbelow(1000) / 1000)
            if pause(self._stopped, max(asked or 0.0, min(jittered, LONGEST_WAIT))):
                break
            wait *= 2
        times = "1 try" if tried == 1 else f"{tried} tries"
        raise ModelError(
            f"{self._who}: {self._url} gave no usable answer after {times}; the last: "
            f"{self._key.hidden(told).rstrip('.')}. What "
            "was answered before is kept: run again later, or lower concurrency."
        )

    def refusal(self, code: int, told: str, model: str, retry_after: str | None = None) -> HarnessError | Again:
        """What an HTTP status that is not 2xx means: worth another try, or what the user must mend."""
        whole, told = self._key.hidden(told), self.reported(told)
        if code in BUSY:  # the reason may be one that waiting does not mend, as a quota that is used up
            wait = asked_wait(retry_after)
            return Again(
                f"HTTP {code}: {told}{'' if wait is None else f' (to be asked again after {wait:,.0f} s)'}", wait
            )
        if code in (401, 403):
            return ModelError(
                f"{self._who}: {self._url} refuses {self._key} (HTTP {code}). Set {self._key.variable} to a key that "
                f"may ask."
            )
        if code == 404:
            return ModelError(
                f"{self._who}: {self._url} knows no model {model!r} or no such address (HTTP 404: {told}). Mend model "
                f"or url."
            )
        message = (
            f"{self._who}: {self._url} refuses the request (HTTP {code}: {told}). Mend model, url or the settings."
        )
        return Refused(message, code, whole)

    def reported(self, told: str) -> str:
        """What a server said, as it is reported: in one line, cut, and without this key or another of the
        environment.
        """
        return " ".join(redacted(self._key.hidden(told)).split())[:300] or "no message"

    def silence(self, error: BaseException, timeout: float) -> HarnessError | Again:
        """What a request without a whole answer means: no server at all, one that never ends, or one to ask again."""
        if (endless := next((e for e in _behind(error) if isinstance(e, Endless)), None)) is not None:
            return ModelError(
                f"{self._who}: {self._url} answers with {endless}, and no answer of this kind has as many: it is not "
                f"read "
                "further. Mend url, or tell the provider."
            )
        if (reason := _nobody(error)) is not None:
            return Unavailable(f"{self._who}: there is no server at {self._url} ({reason}).", "Start it, or mend url.")
        return Again(f"no whole answer within {timeout:g} s ({type(error).__name__})", done=True)


def _nobody(error: BaseException) -> str | None:
    """Why there is no server, where that is at the bottom of an error."""
    return next((str(e) for e in _behind(error) if isinstance(e, ConnectionRefusedError | socket.gaierror)), None)


def _behind(error: BaseException) -> list[BaseException]:
    """An error and all that led to it."""
    seen: list[BaseException] = []
    todo: list[object] = [error]
    while todo:
        at = todo.pop()
        if isinstance(at, BaseException) and at not in seen:
            seen.append(at)
            todo += [at.__cause__, at.__context__, getattr(at, "reason", None)]
    return seen


def asked_wait(header: str | None) -> float | None:
    """Seconds that Retry-After asks for, in either of its forms (RFC 9110, 10.2.3)."""
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
