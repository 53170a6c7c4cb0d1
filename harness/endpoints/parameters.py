"""Which optional fields of a request a chat server accepts, learnt from its refusals."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Mapping
from typing import Any, Final

REFUSALS: Final = frozenset({400, 404, 415, 422, 501})
"""HTTP statuses with which servers refuse a field."""
REQUIRED: Final = frozenset({"model", "messages"})
TOKENS: Final = ("max_tokens", "max_completion_tokens")
"""Two names of one limit. It is renamed and never left out, since the cap on costs depends on it."""
_UNKNOWN: Final = re.compile(
    r"unsupported|not (?:be )?(?:support|permit|allow|accept|recogni|available|valid\b|a valid)"
    r"|n't support|unrecogni[sz]ed|unknown|unexpected|extra (?:inputs?|fields?)|extra_forbidden"
    r"|no such (?:field|parameter)|cannot find|deprecated"
    r"|does not (?:support|exist|take)|only the default|invalid (?:parameter|field|argument|key)|instead|incompatible",
    re.IGNORECASE,
)
_TOO_MUCH: Final = re.compile(
    r"too (?:large|long|many|high|small|low)|context (?:length|window)|exceed|at most|at least|greater|less than"
)


class ServerParameters:
    """The fields that one model at one address accepts. Thread-safe.

    Args:
        known: field → the name under which it is sent, None if it is left out; earlier `changes`.
    """

    def __init__(self, known: Mapping[str, str | None] | None = None) -> None:
        self._lock = threading.Lock()
        self._changes: dict[str, str | None] = dict(known or {})

    @property
    def changes(self) -> dict[str, str | None]:
        """Field → the name under which it is sent, None if it is left out."""
        with self._lock:
            return dict(self._changes)

    def merge(self, known: Mapping[str, str | None]) -> None:
        """Adds what another run has learnt."""
        with self._lock:
            self._changes = {**known, **self._changes}

    def apply(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """A request as this server accepts it."""
        changes = self.changes
        named = {name: changes.get(name, name) for name in body}
        return {new: body[name] for name, new in named.items() if new is not None}

    def learn(self, sent: Mapping[str, Any], code: int, raw: bytes) -> bool:
        """Learns from a refusal; True if the same request would now be sent differently.

        Args:
            sent: the request that was refused.
            code: HTTP status.
            raw: the answer's body.
        """
        if code not in REFUSALS:
            return False
        field = refused_field(raw, sent)
        if field is None:
            return False
        with self._lock:
            if field in TOKENS:
                other = TOKENS[1 - TOKENS.index(field)]
                if self._changes.get(other) == field:
                    return False  # neither name is accepted
                self._changes[field] = other
            else:
                self._changes[field] = None
        return True

    def __str__(self) -> str:
        """For messages; empty if every field is accepted."""
        changed = [name if new is None else f"{name} (sent as {new})" for name, new in sorted(self.changes.items())]
        return ", ".join(changed)


def refused_field(raw: bytes, sent: Mapping[str, Any]) -> str | None:
    """The optional field that a server refuses; None if it refuses the request for another reason.

    A value that is too large is another reason: the message has to contain words such as `unsupported`, `unknown` or
    `extra inputs`, and the answer has to name the field, by itself or in the message.
    """
    try:
        answer = json.loads(raw)
    except (ValueError, RecursionError):
        answer = raw.decode("utf-8", "replace")
    texts = list(_texts(answer))[:50]
    message = " ".join(text for _, text in texts)[:4000]
    if not _UNKNOWN.search(message) or _TOO_MUCH.search(message.lower()):
        return None
    optional = [name for name in sent if name not in REQUIRED]
    named = {text for key, text in texts if key in ("param", "loc")}
    for name in optional:
        if name in named:
            return name
    matches = {name: re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", message) for name in optional}
    places = [(match.start(), name) for name, match in matches.items() if match]
    return min(places)[1] if places else None


def _texts(answer: Any, key: str = "", depth: int = 0) -> Any:
    """(key, text) of each text in an answer, with the key of its nearest object."""
    if isinstance(answer, str):
        yield key, answer
    elif isinstance(answer, dict) and depth < 6:
        for name, value in answer.items():
            yield from _texts(value, str(name), depth + 1)
    elif isinstance(answer, list) and depth < 6:
        for value in answer[:50]:
            yield from _texts(value, key, depth + 1)
