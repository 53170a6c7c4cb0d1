"""A hosted model: where it is, what it costs, how much of it may be used, and how fast."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, fields
from typing import Any, Final

from harness.base.errors import SettingError
from harness.endpoints.address import is_local
from harness.endpoints.keys import check as check_key
from harness.endpoints.meter import Meter
from harness.endpoints.prices import price
from harness.endpoints.providers import provider
from harness.endpoints.retries import RateLimit
from harness.endpoints.settings import PaidRequests

_VARIABLE: Final = re.compile(r"[A-Z_][A-Z0-9_]*", re.ASCII)


@dataclass(frozen=True)
class _Address:
    who: str
    model: str
    url: str


@dataclass(frozen=True)
class Service(PaidRequests, _Address):
    """A model at an address; see `harness.endpoints.settings` for the other arguments.

    Args:
        who: name of the method, for messages.
        model: as the server calls it.
        url: base of the address.
    """

    @classmethod
    def of(cls, who: str, settings: Any) -> Service:
        """The service of a method or generator: each of its settings that has the name of a field here."""
        names = [field.name for field in fields(cls) if hasattr(settings, field.name)]
        return cls(who=who, **{name: getattr(settings, name) for name in names})

    @property
    def variable(self) -> str:
        """The environment variable with the API key: the one that is set, else the provider's."""
        return provider(self.url).key_variable if self.key_variable is None else self.key_variable

    def check(self) -> None:
        """Raises SettingError if a setting is out of range."""
        if not self.model.strip():
            raise SettingError(f"{self.who}: model is empty; set it to the server's name for it, as gpt-4o-mini")
        is_local(self.url, self.who)
        # Many keys are letters and digits too, and would end up in records as the name of a variable.
        if not _VARIABLE.fullmatch(self.variable):
            raise SettingError(
                f"{self.who}: key_variable must be the name of an environment variable in capitals, as OPENAI_API_KEY, "
                "never the key itself"
            )
        check_key(self.who, self.url, self.variable)
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
        """A new meter.

        Raises:
            SettingError: there is a cap in dollars, but no known price.
        """
        listed = price(self.url, self.model, self.price_in, self.price_out)
        return Meter(who or f"{self.who} {self.model}", listed, self.cap, self.cap_tokens)

    def rate_limit(self) -> RateLimit:
        """A new limit on the rate of requests to the address."""
        return RateLimit(self.requests_per_minute, self.tokens_per_minute)
