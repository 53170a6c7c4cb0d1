"""Settings that hosted models share; each one is declared and documented only here.

A dataclass takes the fields of its last base first. Classes list these groups in reverse, so that expressions print
settings in the order in which they always have.
"""

from __future__ import annotations

from dataclasses import dataclass

from harness.choices.bounds import Count, NonNegative, Positive, WholeNumber


@dataclass(frozen=True)
class Prices:
    """What a chat model costs.

    Args:
        price_in: dollars per million tokens sent; None takes the listed price of the host.
        price_out: dollars per million tokens answered; None takes the listed price of the host.
    """

    price_in: NonNegative | None = None
    price_out: NonNegative | None = None


@dataclass(frozen=True)
class Budget:
    """What one run may spend, and on whose account.

    Args:
        cap: dollars that one run may cost; None for no cap.
        cap_tokens: tokens that one run may use, sent and answered; None for no cap.
        key_variable: the environment variable with the API key; None takes the provider's.
    """

    cap: NonNegative | None = None
    cap_tokens: WholeNumber | None = None
    key_variable: str | None = None


@dataclass(frozen=True)
class RequestLimits:
    """How fast requests are sent and how long answers are waited for.

    Args:
        requests_per_minute: None for no limit on this side.
        tokens_per_minute: by our estimate; None for no limit on this side.
        concurrency: requests in flight at once.
        timeout: seconds for one whole answer, from the connection to the last byte.
        retries: how often a request is repeated while the server is busy.
    """

    requests_per_minute: Count | None = None
    tokens_per_minute: Count | None = None
    concurrency: Count = 4
    timeout: Positive = 60.0
    retries: WholeNumber = 6


@dataclass(frozen=True)
class PaidRequests(RequestLimits, Budget, Prices):
    """All of these settings."""
