"""An OpenAI-compatible chat server: one request of ours, one answer, with patience for a busy server and none for a
wrong key.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from harness.base.errors import HarnessError, ModelError
from harness.endpoints.keys import Key
from harness.endpoints.meter import counted
from harness.endpoints.parameters import Dialect
from harness.endpoints.reasoning import said, spoken
from harness.endpoints.retries import Again, Pace, Patience


@dataclass(frozen=True)
class Answer:
    """What the server said.

    Args:
        content: as it came, with what a reasoning model thought before it; empty where it refused or said nothing.
        tokens_in: of the prompt, as the server counted; 0 where it does not say.
        tokens_out: of the answer.
        cut: whether the server says that it ended for want of tokens.
    """

    content: str
    tokens_in: int
    tokens_out: int
    cut: bool = False

    @property
    def text(self) -> str:
        """The answer without the thoughts before it."""
        return spoken(self.content)


class Endpoint:
    """The `/chat/completions` of a server.

    Args:
        who: the value that asks, for messages.
        url: its base, as https://api.openai.com/v1.
        key_variable: the environment variable that holds the key; a server on this machine needs none.
        timeout: seconds for one whole answer.
        retries: repetitions of one request.
        pace: how fast requests may follow each other.
        dialect: which fields it takes; learnt where it refuses one.

    Raises:
        SettingError: no http or https address, or one that the key does not go to.
        Unavailable: no key for a server elsewhere.
    """

    def __init__(
        self,
        who: str,
        url: str,
        key_variable: str,
        timeout: float,
        retries: int,
        pace: Pace | None = None,
        dialect: Dialect | None = None,
    ) -> None:
        from harness.endpoints.wire import client

        self._who, self._url, self._timeout = who, f"{url.rstrip('/')}/chat/completions", timeout
        self._key = Key(who, url, key_variable)
        self._patience = Patience(who, self._url, self._key, retries, pace)
        self._client, _ = client(self._key, url, timeout)
        self._dialect = dialect or Dialect()

    def stop(self) -> None:
        """Ends all waiting: requests under way are finished, none is repeated."""
        self._patience.stop()

    def ask(
        self, body: Mapping[str, Any], tokens: int = 0, lost: Callable[[], HarnessError | None] = lambda: None
    ) -> Answer:
        """Sends one request, again where the server is busy, slow or answers no JSON, and otherwise where it refuses a
        field.

        Args:
            body: JSON-safe.
            tokens: what it takes by our estimate, for the pace.
            lost: see `Patience.asked`.

        Raises:
            ModelError: the server refuses the key, the model or the request, never answers well, answers without end,
                or repeats the key in its answer.
            Unavailable: there is no server.
        """
        while True:
            sent = self._dialect.spoken(body)
            answer = self._patience.asked(lambda sent=sent: self._once(sent), tokens, lost)  # type: ignore[misc]
            if answer is not None:
                return answer

    def _once(self, body: Mapping[str, Any]) -> Answer | None:
        """One request; None where it is to be sent in another dialect."""
        import httpx

        headers = {"Content-Type": "application/json", "Accept": "application/json", "User-Agent": "retrieval-harness"}
        try:
            response = self._client.post(self._url, content=json.dumps(body).encode(), headers=headers)
        except httpx.RequestError as error:  # time-outs are some
            raise self._patience.silence(error, self._timeout) from None
        raw = response.content
        if not response.is_success:
            if self._dialect.learn(body, response.status_code, raw):
                return None
            asked = response.headers.get("Retry-After")
            raise self._patience.refusal(response.status_code, _message(raw), str(body.get("model")), asked)
        answer = _read(raw)
        if self._key.repeated(answer.content):  # it would be kept and searched with
            raise ModelError(
                f"{self._who}: {self._url} repeats {self._key} in an answer, which is not kept. Send no key to this "
                "server: change the key, and see what the server is."
            )
        return answer


def _read(raw: bytes) -> Answer:
    """The text of the first choice, and the usage.

    Raises:
        Again: no JSON, or none of the protocol.
    """
    try:
        told = json.loads(raw)
        choice = told["choices"][0]
        content = said(choice["message"])
        usage = told.get("usage") or {}
        tokens_in, tokens_out = counted(usage.get("prompt_tokens")), counted(usage.get("completion_tokens"))
        cut = choice.get("finish_reason") == "length"
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError):
        raise Again("an answer that is not JSON of the chat protocol", done=True) from None
    return Answer(content, tokens_in, tokens_out, cut)


def _message(raw: bytes) -> str:
    """What a refusal says."""
    try:
        held = json.loads(raw)["error"]
        return str(held["message"] if isinstance(held, dict) else held)
    except (ValueError, KeyError, TypeError, RecursionError):
        return raw.decode("utf-8", "replace")
