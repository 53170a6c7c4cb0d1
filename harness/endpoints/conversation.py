"""Conversations: many chat requests to one model, each paid for once, none beyond the cap."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from harness.base.errors import ModelError
from harness.endpoints.chat import Endpoint
from harness.endpoints.meter import Bound, Estimate, Meter, most_tokens, tokens
from harness.endpoints.parameters import Dialect
from harness.endpoints.pieces import Pieces
from harness.endpoints.pool import through
from harness.endpoints.reasoning import spoken
from harness.endpoints.retries import Pace, Refused
from harness.endpoints.service import Service
from harness.runtime.context import Context
from harness.runtime.progress import Advance

Messages = Sequence[Mapping[str, str]]
NO_SEEDS: Final[Mapping[str, int]] = MappingProxyType({})
TOKENS_AROUND: Final = 8
"""Taken for what a chat format puts around one message."""
_DIALECT: Final = "fields that the server does not take"
"""Name of the piece that says so; names of answers are hashes."""


class Conversation:
    """Asks a chat model, and keeps each answer as it comes, by what was asked of which model.

    Args:
        service: the model.
        temperature: 0 or more; None leaves it to the server, as some models demand.
        max_tokens: of an answer.
        context: seed and cache.
        deciding: all that decides an answer besides its name; the key of what is kept, JSON-safe.
        key: hash of `deciding`.
        meter: counts over several conversations; None takes one of its own.
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
        self._pieces = Pieces(context.cache, "answers", key, deciding)
        self._pace: Pace = service.pace()
        self.meter = meter or service.meter()
        self.lock = self._pieces.lock
        place = f"dialect of {service.model} at {service.url.rstrip('/')}"
        self._dialect = context.ledger.once("model", f"open {service.model}", place, Dialect)
        self._noted: set[str] = set()
        self._kept_dialect: dict[str, str | None] = {}

    def held(self) -> dict[str, str]:
        """The answers kept so far, by name, without what a reasoning model thought before them."""
        pieces = self._pieces.read()
        self._kept_dialect = pieces.pop(_DIALECT, {})
        self._dialect.take(self._kept_dialect)
        if str(self._dialect):  # in the record of a run that finds all answers kept, too
            self._note(f"{self._service.model} does not take {self._dialect}: it was asked without, as its server says")
        if any(piece.get("cut") for piece in pieces.values()):
            self._note(
                f"answers of {self._service.model} broke off at max_tokens={self._max_tokens} before they said "
                f"anything, as "
                "those of models that think first do: they count as empty; a larger max_tokens leaves room"
            )
        return {name: spoken(piece["text"]) for name, piece in pieces.items()}

    def _note(self, text: str) -> None:
        if text not in self._noted:
            self._noted.add(text)
            self._context.ledger.note(text)

    def body(self, messages: Messages, seed: int | None = None) -> dict[str, Any]:
        """The request; its seed is the run's where none is given."""
        asked: dict[str, Any] = {"model": self._service.model, "messages": [dict(m) for m in messages]}
        if self._temperature is not None:
            asked["temperature"] = self._temperature
        return {**asked, "max_tokens": self._max_tokens, "seed": self._seed if seed is None else seed}

    def estimate(self, asked: Iterable[Messages]) -> Estimate:
        """What so many requests take, at most."""
        sizes = [prompt_tokens(messages) for messages in asked]
        return self.meter.estimate(len(sizes), 0, sum(sizes), len(sizes) * self._max_tokens)

    def ask(self, asked: Mapping[str, Messages], advance: Advance, seeds: Mapping[str, int] = NO_SEEDS) -> None:
        """Asks what is not kept yet; hold `lock` meanwhile, and see `meter.admit` first.

        Args:
            asked: name → messages.
            advance: told of each that is answered.
            seeds: name → what is sent as seed, where it is another than the run's: several answers to the same
                messages.

        Raises:
            SettingError: the next request could pass the cap, or the server counted more than it allows.
            Unavailable: no key, or no server.
            ModelError: the server refuses, or never answers well. What was answered is kept in every case.
        """
        held = self.held()
        missing = [(name, messages) for name, messages in asked.items() if name not in held]
        if not missing:
            return
        service = self._service
        endpoint = Endpoint(
            service.who, service.url, service.key_variable, service.timeout, service.retries, self._pace, self._dialect
        )

        def most(item: tuple[str, Messages]) -> Bound:
            return Bound(sum(most_tokens(m["content"]) + TOKENS_AROUND for m in item[1]), self._max_tokens)

        def one(item: tuple[str, Messages]) -> tuple[int, int]:
            name, messages = item
            expected = prompt_tokens(messages)
            body = self.body(messages, seeds.get(name))
            try:
                answer = endpoint.ask(body, expected + self._max_tokens, lambda: self.meter.lose(most(item)))
            except Refused as error:
                raise _too_long(error, messages) if error.too_long else error from None
            piece = {"text": answer.content, "in": answer.tokens_in, "out": answer.tokens_out}
            self._pieces.add(name, {**piece, "cut": True} if answer.cut and not answer.text.strip() else piece)
            return answer.tokens_in or expected, answer.tokens_out or tokens(answer.content)

        fault = through(
            missing,
            one,
            bound=most,
            meter=self.meter,
            concurrency=service.concurrency,
            stop=endpoint.stop,
            done=lambda item: advance(),
        )
        if self._dialect.changes != self._kept_dialect:
            self._pieces.add(_DIALECT, self._dialect.changes)
        if fault is not None:
            held = self._pieces.read()
            if any(name not in held for name, _ in missing):
                raise fault


def _too_long(error: Refused, messages: Messages) -> ModelError:
    """The same, with the prompt named that is too long."""
    size, text = sum(len(m["content"]) for m in messages), max((m["content"] for m in messages), key=len)
    return ModelError(
        f"{error} The prompt has {size:,} characters, in its longest message {len(text):,}: {text[:160]!r}… Send less "
        f"of each "
        "text (max_words, window) or take a model that reads more. What was answered before is kept."
    )


def prompt_tokens(messages: Messages) -> int:
    """About how many tokens a prompt has."""
    return sum(tokens(m["content"]) + TOKENS_AROUND for m in messages)
