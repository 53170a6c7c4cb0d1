"""What the methods share that send requests to a chat model: its address, its prices, one meter for all requests."""

from __future__ import annotations

from typing import Any, ClassVar

from harness.choices.bounds import Count, NonNegative
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
        asked_as: what the answers are; a part of their cache key.
    """

    paid: ClassVar[bool] = True
    asked_as: ClassVar[str]

    model: str
    url: str
    temperature: NonNegative | None
    max_tokens: Count

    def check(self) -> None:
        """Raises SettingError if the address, the key's name or the prices cannot be used."""
        self.service().check()

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
        """Requests through the cache; one meter counts all requests of the run with these settings."""
        deciding = {**self.deciding(), "seed": context.seed, "of": self.asked_as}
        meter: Meter = context.ledger.once(
            "model", f"open {self.model}", f"meter {self.fingerprint()}", self.service().meter
        )
        return Conversation(
            self.service(), self.temperature, self.max_tokens, context, digest(deciding), deciding, meter
        )

    def price_source(self) -> str | None:
        """Where the price is from; None if no price is known."""
        price = self.service().meter().price
        return None if price is None else price.source
