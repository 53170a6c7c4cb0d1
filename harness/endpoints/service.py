"""What one must say of any hosted model: where it is, what it costs, how much of it may be used, and how fast."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Final

from harness.base.errors import SettingError
from harness.endpoints.address import is_local
from harness.endpoints.keys import check as check_key
from harness.endpoints.meter import Meter
from harness.endpoints.prices import price
from harness.endpoints.retries import Pace

_VARIABLE: Final = re.compile(r"[A-Z_][A-Z0-9_]*", re.ASCII)


@dataclass(frozen=True)
class Service:
    """A model at an address.

    Args:
        who: the value that asks, for messages.
        model: as the server calls it.
        url: base of the address.
        key_variable: the environment variable that holds the key.
        price_in: dollars for a million tokens sent; None takes what is listed for the host.
        price_out: the same of tokens answered.
        cap: dollars that one run may cost.
        cap_tokens: tokens that one run may take.
        concurrency: requests under way at once.
        timeout: seconds for one whole answer, from the connection to the last byte.
        retries: repetitions of one request.
        requests_per_minute: None for no limit of ours.
        tokens_per_minute: the same, by our estimate.
    """

    who: str
    model: str
    url: str
    key_variable: str
    price_in: float | None = None
    price_out: float | None = None
    cap: float | None = None
    cap_tokens: int | None = None
    concurrency: int = 4
    timeout: float = 60.0
    retries: int = 6
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None

    def check(self) -> None:
        """Raises SettingError where a setting is out of range."""
        if not self.model.strip():
            raise SettingError(f"{self.who}: model is empty; say what the server calls it, as gpt-4o-mini")
        is_local(self.url, self.who)
        if not _VARIABLE.fullmatch(
            self.key_variable
        ):  # many a key is letters and digits too, and would be written down
            raise SettingError(
                f"{self.who}: key_variable must be the name of an environment variable in capitals, as OPENAI_API_KEY, "
                f"never the "
                "key itself"
            )
        check_key(self.who, self.url, self.key_variable)
        for name in ("concurrency", "requests_per_minute", "tokens_per_minute"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise SettingError(f"{self.who}: {name} must be 1 or more, not {value}")
        for name in ("price_in", "price_out", "cap", "cap_tokens", "retries"):
            value = getattr(self, name)
            if value is not None and not (0 <= value < math.inf):
                raise SettingError(f"{self.who}: {name} must be 0 or more, not {value}")
        if not 0 < self.timeout < math.inf:
            raise SettingError(f"{self.who}: timeout must be above 0, not {self.timeout}")
        self.meter(self.who)

    def meter(self, who: str | None = None) -> Meter:
        """A meter that has counted nothing.

        Raises:
            SettingError: a cap in dollars, and no price is known.
        """
        listed = price(self.url, self.model, self.price_in, self.price_out)
        return Meter(who or f"{self.who} {self.model}", listed, self.cap, self.cap_tokens)

    def pace(self) -> Pace:
        """The pace of all requests to the address."""
        return Pace(self.requests_per_minute, self.tokens_per_minute)
