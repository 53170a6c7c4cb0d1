"""The dialect of a chat server: which optional fields of a request it takes, learnt from its refusals and used from
then on.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Mapping
from typing import Any, Final

REFUSALS: Final = frozenset({400, 404, 415, 422, 501})
"""Statuses with which servers refuse a field."""
DEMANDED: Final = frozenset({"model", "messages"})
TOKENS: Final = ("max_tokens", "max_completion_tokens")
"""Two names of one limit. It is renamed and never left out, since the cap on costs rests on it."""
_UNKNOWN: Final = re.compile(
    r"unsupported|not (?:be )?(?:support|permit|allow|accept|recogni|available|valid\b|a valid)|n't "
    r"support|unrecogni[sz]ed"
    r"|unknown|unexpected|extra (?:inputs?|fields?)|extra_forbidden|no such (?:field|parameter)|cannot find|deprecated"
    r"|does not (?:support|exist|take)|only the default|invalid (?:parameter|field|argument|key)|instead|incompatible",
    re.IGNORECASE,
)
_TOO_MUCH: Final = re.compile(
    r"too (?:large|long|many|high|small|low)|context (?:length|window)|exceed|at most|at least|greater|less than"
)


class Dialect:
    """What one model at one address takes. Threads may ask at once.

    Args:
        known: field → what is sent in its place, None for nothing; as `changes` gave it before.
    """

    def __init__(self, known: Mapping[str, str | None] | None = None) -> None:
        self._guard = threading.Lock()
        self._changes: dict[str, str | None] = dict(known or {})

    @property
    def changes(self) -> dict[str, str | None]:
        """Field → what is sent in its place, None for nothing."""
        with self._guard:
            return dict(self._changes)

    def take(self, known: Mapping[str, str | None]) -> None:
        """Learns what another run has learnt."""
        with self._guard:
            self._changes = {**known, **self._changes}

    def spoken(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """A request as this server takes it."""
        changes = self.changes
        named = {name: changes.get(name, name) for name in body}
        return {new: body[name] for name, new in named.items() if new is not None}

    def learn(self, sent: Mapping[str, Any], code: int, raw: bytes) -> bool:
        """Learns from a refusal; whether the same request would be sent otherwise now.

        Args:
            sent: the request that was refused.
            code: HTTP status.
            raw: the answer's body.
        """
        if code not in REFUSALS:
            return False
        field = refused(raw, sent)
        if field is None:
            return False
        with self._guard:
            if field in TOKENS:
                other = TOKENS[1 - TOKENS.index(field)]
                if self._changes.get(other) == field:
                    return False  # neither name is taken
                self._changes[field] = other
            else:
                self._changes[field] = None
        return True

    def __str__(self) -> str:
        """For people; empty where everything is taken."""
        told = [name if new is None else f"{name} (sent as {new})" for name, new in sorted(self.changes.items())]
        return ", ".join(told)


def refused(raw: bytes, sent: Mapping[str, Any]) -> str | None:
    """The optional field of a request that a refusal says is not taken; None where it says something else.

    A value that is too large is no field that is not taken: the refusal has to say so (`unsupported`, `unknown`, `extra
    inputs` and the like), and to name the field, by itself or in the message.
    """
    try:
        told = json.loads(raw)
    except (ValueError, RecursionError):
        told = raw.decode("utf-8", "replace")
    texts = list(_texts(told))[:50]
    message = " ".join(text for _, text in texts)[:4000]
    if not _UNKNOWN.search(message) or _TOO_MUCH.search(message.lower()):
        return None
    optional = [name for name in sent if name not in DEMANDED]
    named = {text for key, text in texts if key in ("param", "loc")}
    for name in optional:
        if name in named:
            return name
    places = [
        (found.start(), name)
        for name in optional
        if (found := re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", message))
    ]
    return min(places)[1] if places else None


def _texts(told: Any, key: str = "", depth: int = 0) -> Any:
    """(key, text) of each text in an answer, those of `param` and `loc` by their key."""
    if isinstance(told, str):
        yield key, told
    elif isinstance(told, dict) and depth < 6:
        for name, value in told.items():
            yield from _texts(value, str(name), depth + 1)
    elif isinstance(told, list) and depth < 6:
        for value in told[:50]:
            yield from _texts(value, key, depth + 1)
