"""An OpenAI-compatible chat server: one request, one answer; retried if the server is busy, not if the key is wrong."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from harness.base.errors import HarnessError, ModelError
from harness.endpoints.keys import Key
from harness.endpoints.meter import reported_tokens
from harness.endpoints.parameters import ServerParameters
from harness.endpoints.reasoning import message_text, without_reasoning
from harness.endpoints.retries import RateLimit, Retrier, Retryable


@dataclass(frozen=True)
class Answer:
    """An answer of the server.

    Args:
        content: as it came, with the reasoning before it; empty if the model refused or said nothing.
        tokens_in: of the prompt, by the server's count; 0 if it does not report one.
        tokens_out: of the answer, likewise.
        cut: whether the server says that the answer reached the limit on tokens.
    """

    content: str
    tokens_in: int
    tokens_out: int
    cut: bool = False

    @property
    def text(self) -> str:
        """The answer without the reasoning before it."""
        return without_reasoning(self.content)


class ChatEndpoint:
    """The `/chat/completions` of a server.

    Args:
        who: name of the method, for messages.
        url: its base, as https://api.openai.com/v1.
        key_variable: the environment variable with the key; a server on this machine needs none.
        timeout: seconds for one whole answer.
        retries: how often one request is repeated.
        rate_limit: shared by all requests to the address.
        parameters: which fields the server accepts; learnt from its refusals.

    Raises:
        SettingError: not an http or https address, or one that the key is not sent to.
        Unavailable: no key for a server that is not on this machine.
    """

    def __init__(
        self,
        who: str,
        url: str,
        key_variable: str,
        timeout: float,
        retries: int,
        rate_limit: RateLimit | None = None,
        parameters: ServerParameters | None = None,
    ) -> None:
        from harness.endpoints.wire import client

        self._who, self._url, self._timeout = who, f"{url.rstrip('/')}/chat/completions", timeout
        self._key = Key(who, url, key_variable)
        self._retrier = Retrier(who, self._url, self._key, retries, rate_limit)
        self._client, _ = client(self._key, url, timeout)
        self._parameters = parameters or ServerParameters()

    def stop(self) -> None:
        """Ends all waiting: requests in flight are finished, none is repeated."""
        self._retrier.stop()

    def ask(
        self, body: Mapping[str, Any], tokens: int = 0, lost: Callable[[], HarnessError | None] = lambda: None
    ) -> Answer:
        """Sends one request; repeats it if the server is busy, slow or sends no JSON, or without a field it refuses.

        Args:
            body: JSON-safe.
            tokens: of the request by our estimate, for the rate limit.
            lost: see `Retrier.call`.

        Raises:
            ModelError: the server refuses the key, the model or the request, gives no usable answer or one that is too
                large, or repeats the key in its answer.
            Unavailable: there is no server.
        """
        while True:
            sent = self._parameters.apply(body)
            answer = self._retrier.call(lambda sent=sent: self._once(sent), tokens, lost)  # type: ignore[misc]
            if answer is not None:
                return answer

    def _once(self, body: Mapping[str, Any]) -> Answer | None:
        """One request; None if it has to be sent again with other fields."""
        import httpx

        headers = {"Content-Type": "application/json", "Accept": "application/json", "User-Agent": "retrieval-harness"}
        try:
            response = self._client.post(self._url, content=json.dumps(body).encode(), headers=headers)
        except httpx.RequestError as error:  # time-outs are some
            raise self._retrier.no_answer(error, self._timeout) from None
        raw = response.content
        if not response.is_success:
            if self._parameters.learn(body, response.status_code, raw):
                return None
            retry_after = response.headers.get("Retry-After")
            raise self._retrier.error_of(response.status_code, _message(raw), str(body.get("model")), retry_after)
        answer = _read(raw)
        if self._key.repeated(answer.content):  # it would be cached and searched with
            raise ModelError(
                f"{self._who}: {self._url} repeats {self._key} in an answer, which is not cached. Replace the key, and "
                "check whether url is the right server."
            )
        return answer


def _read(raw: bytes) -> Answer:
    """The text of the first choice, and the usage.

    Raises:
        Retryable: not JSON, or not of the protocol.
    """
    try:
        answer = json.loads(raw)
        choice = answer["choices"][0]
        content = message_text(choice["message"])
        usage = answer.get("usage") or {}
        tokens_in, tokens_out = (
            reported_tokens(usage.get("prompt_tokens")),
            reported_tokens(usage.get("completion_tokens")),
        )
        cut = choice.get("finish_reason") == "length"
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError):
        raise Retryable("an answer that is not JSON of the chat protocol", done=True) from None
    return Answer(content, tokens_in, tokens_out, cut)


def _message(raw: bytes) -> str:
    """The message of an error."""
    try:
        error = json.loads(raw)["error"]
        return str(error["message"] if isinstance(error, dict) else error)
    except (ValueError, KeyError, TypeError, RecursionError):
        return raw.decode("utf-8", "replace")
