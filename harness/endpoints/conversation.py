"""Conversations: many chat requests to one model, each paid for once, within the cap."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from harness.base.errors import ModelError
from harness.endpoints.chat import ChatEndpoint
from harness.endpoints.journal import Journal
from harness.endpoints.meter import Bound, Estimate, Meter, estimated_tokens, most_tokens
from harness.endpoints.parameters import ServerParameters
from harness.endpoints.pool import run_requests
from harness.endpoints.reasoning import without_reasoning
from harness.endpoints.retries import RequestRefused
from harness.endpoints.service import Service
from harness.runtime.context import Context
from harness.runtime.progress import Advance

Messages = Sequence[Mapping[str, str]]
NO_SEEDS: Final[Mapping[str, int]] = MappingProxyType({})
TOKENS_AROUND: Final = 8
"""Tokens that a chat format adds to one message, estimated."""
_PARAMETERS: Final = "fields that the server does not take"
"""Name of the journal's entry for them; names of answers are hashes."""


class Conversation:
    """Sends requests to a chat model and caches each answer as it arrives, by request and model.

    Args:
        service: the model.
        temperature: 0 or more; None leaves it to the server, as some models demand.
        max_tokens: most tokens of an answer.
        context: seed and cache.
        key: hash of `deciding`.
        deciding: all that decides an answer besides its name, JSON-safe.
        meter: counts over several conversations; None creates one.
    """

    def __init__(
        self,
        service: Service,
        temperature: float | None,
        max_tokens: int,
        context: Context,
        key: str,
        deciding: Mapping[str, Any],
        meter: Meter | None = None,
    ) -> None:
        self._service, self._temperature, self._max_tokens = service, temperature, max_tokens
        self._seed, self._context = context.seed, context
        self._journal = Journal(context.cache, "answers", key, deciding)
        self._rate_limit = service.rate_limit()
        self.meter = meter or service.meter()
        self.lock = self._journal.lock
        place = f"parameters of {service.model} at {service.url.rstrip('/')}"
        self._parameters = context.ledger.once("model", f"open {service.model}", place, ServerParameters)
        self._noted: set[str] = set()
        self.broken: frozenset[str] = frozenset()
        self._stored_parameters: dict[str, str | None] = {}

    def answers(self) -> dict[str, str]:
        """The cached answers by name, without the reasoning before them; afterwards `broken` has the names of those
        that the limit on tokens cut in the middle of their text.
        """
        entries = self._journal.read()
        self._stored_parameters = entries.pop(_PARAMETERS, {})
        self._parameters.merge(self._stored_parameters)
        if str(self._parameters):  # noted also if all answers are cached
            self._note(f"the server of {self._service.model} refuses {self._parameters}: requests were sent without")
        if any(entry.get("cut") for entry in entries.values()):
            self._note(
                f"answers of {self._service.model} reached max_tokens={self._max_tokens} before any text, as reasoning "
                "models do: they count as empty; set a larger max_tokens"
            )
        self.broken = frozenset(name for name, entry in entries.items() if entry.get("broken"))
        return {name: without_reasoning(entry["text"]) for name, entry in entries.items()}

    def _note(self, text: str) -> None:
        if text not in self._noted:
            self._noted.add(text)
            self._context.ledger.note(text)

    def body(self, messages: Messages, seed: int | None = None) -> dict[str, Any]:
        """The request; its seed is the run's if none is given."""
        body: dict[str, Any] = {"model": self._service.model, "messages": [dict(m) for m in messages]}
        if self._temperature is not None:
            body["temperature"] = self._temperature
        return {**body, "max_tokens": self._max_tokens, "seed": self._seed if seed is None else seed}

    def estimate(self, requests: Iterable[Messages]) -> Estimate:
        """The most that these requests can use."""
        sizes = [prompt_tokens(messages) for messages in requests]
        return self.meter.estimate(len(sizes), 0, sum(sizes), len(sizes) * self._max_tokens)

    def ask(self, requests: Mapping[str, Messages], advance: Advance, seeds: Mapping[str, int] = NO_SEEDS) -> None:
        """Sends the requests whose answers are not cached; hold `lock` meanwhile, and call `meter.admit` before.

        Args:
            requests: name → messages.
            advance: called for each answer.
            seeds: name → seed, if it differs from the run's, for several answers to the same messages.

        Raises:
            SettingError: the next request could exceed the cap, or the server counted more than the cap.
            Unavailable: no key, or no server.
            ModelError: the server refuses, or gives no usable answer. All answers are cached in every case.
        """
        answers = self.answers()
        missing = [(name, messages) for name, messages in requests.items() if name not in answers]
        if not missing:
            return
        service = self._service
        endpoint = ChatEndpoint(
            service.who,
            service.url,
            service.variable,
            service.timeout,
            service.retries,
            self._rate_limit,
            self._parameters,
        )

        def most(item: tuple[str, Messages]) -> Bound:
            return Bound(sum(most_tokens(m["content"]) + TOKENS_AROUND for m in item[1]), self._max_tokens)

        def one(item: tuple[str, Messages]) -> tuple[int, int]:
            name, messages = item
            expected = prompt_tokens(messages)
            body = self.body(messages, seeds.get(name))
            try:
                answer = endpoint.ask(body, expected + self._max_tokens, lambda: self.meter.count_lost(most(item)))
            except RequestRefused as error:
                raise _too_long(error, messages) if error.too_long else error from None
            entry: dict[str, Any] = {"text": answer.content, "in": answer.tokens_in, "out": answer.tokens_out}
            if answer.cut:
                entry["broken" if answer.text.strip() else "cut"] = True
            self._journal.add(name, entry)
            return answer.tokens_in or expected, answer.tokens_out or estimated_tokens(answer.content)

        error = run_requests(
            missing,
            one,
            bound=most,
            meter=self.meter,
            concurrency=service.concurrency,
            stop=endpoint.stop,
            done=lambda item: advance(),
        )
        if self._parameters.changes != self._stored_parameters:
            self._journal.add(_PARAMETERS, self._parameters.changes)
        if error is not None:
            stored = self._journal.read()
            if any(name not in stored for name, _ in missing):
                raise error


def _too_long(error: RequestRefused, messages: Messages) -> ModelError:
    """The same error, with the prompt that is too long."""
    size, text = sum(len(m["content"]) for m in messages), max((m["content"] for m in messages), key=len)
    return ModelError(
        f"{error} The prompt has {size:,} characters, in its longest message {len(text):,}: {text[:160]!r}… Send "
        "less text (max_words, window), or use a model that reads more. Earlier answers are cached."
    )


def prompt_tokens(messages: Messages) -> int:
    """Tokens of a prompt, estimated."""
    return sum(estimated_tokens(m["content"]) + TOKENS_AROUND for m in messages)
