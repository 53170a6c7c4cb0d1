"""What methods that ask a chat model have in common: where the model is, what it costs, and one meter for all that is
asked.
"""

from __future__ import annotations

import math
from typing import Any, ClassVar

from harness.base.errors import SettingError
from harness.endpoints.conversation import Conversation
from harness.endpoints.journal import digest
from harness.endpoints.meter import Meter
from harness.endpoints.service import Service
from harness.endpoints.settings import PaidRequests
from harness.methods import Method
from harness.runtime.context import Context


class Asks(PaidRequests, Method):
    """Base of these methods. Each is a dataclass whose settings for the model come before those of `PaidRequests`.

    Attributes:
        asked_as: what the answers are, a part of the key that they are kept by.
    """

    paid: ClassVar[bool] = True
    asked_as: ClassVar[str]

    model: str
    url: str
    temperature: float | None
    max_tokens: int

    def check(self, *counts: str) -> None:
        """Raises SettingError where a setting is out of range; `counts` must be 1 or more, as `max_tokens` is."""
        self.service().check()
        for name in (*counts, "max_tokens"):
            if getattr(self, name) < 1:
                raise SettingError(f"{self.name()}: {name} must be 1 or more, not {getattr(self, name)}")
        if self.temperature is not None and not 0 <= self.temperature < math.inf:
            raise SettingError(f"{self.name()}: temperature must be 0 or more, not {self.temperature}")

    def service(self) -> Service:
        """The model."""
        return Service.of(self.name(), self)

    def deciding(self) -> dict[str, Any]:
        """All that decides an answer besides the messages and the seed."""
        return {
            "url": self.url.rstrip("/"),
            "model": self.model,
            "temperature": self.temperature,
            "max_tokens": self.max_tokens,
        }

    def conversation(self, context: Context) -> Conversation:
        """Asks through the cache; one meter counts all that the run asks with these settings."""
        told = {**self.deciding(), "seed": context.seed, "of": self.asked_as}
        meter: Meter = context.ledger.once(
            "model", f"open {self.model}", f"meter {self.fingerprint()}", self.service().meter
        )
        return Conversation(self.service(), self.temperature, self.max_tokens, context, digest(told), told, meter)

    def price_source(self) -> str | None:
        """Where the price is from; None where none is known."""
        price = self.service().meter().price
        return None if price is None else price.source
