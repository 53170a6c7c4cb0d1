"""The meter: tokens and dollars that a run will use and has used, and the cap that it must not exceed."""

from __future__ import annotations

import logging
import math
import threading
from dataclasses import dataclass
from typing import Final

import numpy as np

from harness.base.errors import SettingError
from harness.endpoints.prices import Price

CHARACTERS_PER_TOKEN: Final = 4
"""The rule of thumb of OpenAI's help page "What are tokens and how to count them?", for English."""
log = logging.getLogger("harness.endpoints")


def estimated_tokens(text: str) -> int:
    """Tokens of a text, estimated: one for four ASCII characters, and one for each other character."""
    ascii_only = len(text.encode("ascii", "ignore"))
    return math.ceil(ascii_only / CHARACTERS_PER_TOKEN) + len(text) - ascii_only


def reported_tokens(value: object) -> int:
    """A number of tokens that a server reports; 0 if it is not a number, or negative, which would evade a cap."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < math.inf:
        return 0
    return int(value)


def most_tokens(text: str) -> int:
    """More tokens than a text can have: a token is at least one byte, and a model may add a few of its own."""
    return len(text.encode("utf-8", "surrogatepass")) + 8


@dataclass(frozen=True)
class Estimate:
    """What is going to be sent.

    Args:
        requests: at most.
        texts: distinct ones; 0 if requests are not made of texts.
        tokens_in: to be sent, by `estimated_tokens`.
        tokens_out: the most that can be answered.
        dollars: None if no price is known.
    """

    requests: int
    texts: int
    tokens_in: int
    tokens_out: int
    dollars: float | None

    def __add__(self, other: Estimate) -> Estimate:
        known = None if self.dollars is None or other.dollars is None else self.dollars + other.dollars
        return Estimate(
            self.requests + other.requests,
            self.texts + other.texts,
            self.tokens_in + other.tokens_in,
            self.tokens_out + other.tokens_out,
            known,
        )

    def __str__(self) -> str:
        cost = "price unknown" if self.dollars is None else f"at most {dollars(self.dollars)}"
        texts = f"{self.texts:,} texts in " if self.texts else ""
        out = f", at most {self.tokens_out:,} out" if self.tokens_out else ""
        return f"{texts}{self.requests:,} requests, about {self.tokens_in:,} tokens in{out}: {cost}"


@dataclass(frozen=True)
class Bound:
    """The most tokens that one request can use: sent, answered."""

    tokens_in: int
    tokens_out: int = 0


class Meter:
    """Counts what a run uses and refuses requests that could exceed a cap. Thread-safe.

    A request is sent only if the tokens counted so far, the most that requests in flight can use, and the most that it
    can use itself stay within the caps. So by the server's own count no cap is exceeded, unless the server counts more
    tokens than there are bytes.

    Args:
        who: names of the method and its model, for messages.
        price: None if unknown; then only tokens can be capped.
        cap: dollars; None for no cap.
        cap_tokens: tokens sent and answered together; None for no cap.

    Raises:
        SettingError: a cap in dollars, but no known price.
    """

    def __init__(self, who: str, price: Price | None, cap: float | None, cap_tokens: int | None = None) -> None:
        self._who, self.price, self._cap, self._cap_tokens = who, price, cap, cap_tokens
        self._guard = threading.Lock()
        self.counted_in = self.counted_out = 0
        self._reserved_in = self._reserved_out = 0
        self._lost = 0
        if cap is not None and price is None:
            raise SettingError(
                f"{who}: cap is in dollars, but the price is unknown: set it in dollars per million tokens, or use "
                "cap_tokens."
            )

    def estimate(self, requests: int, texts: int, tokens_in: int, tokens_out: int = 0) -> Estimate:
        """An estimate, with its cost."""
        return Estimate(requests, texts, tokens_in, tokens_out, self.dollars(tokens_in, tokens_out))

    def dollars(self, tokens_in: int, tokens_out: int = 0) -> float | None:
        """What so many tokens cost; None if no price is known."""
        return None if self.price is None else self.price.dollars(tokens_in, tokens_out)

    def admit(self, estimate: Estimate) -> None:
        """Logs what is about to be sent; refuses it if it exceeds a cap together with what was counted before.

        Raises:
            SettingError: it exceeds a cap; nothing was sent.
        """
        source = f" (price: {self.price.source})" if self.price else " (cap it with cap_tokens)"
        log.log(logging.WARNING if estimate.dollars != 0 else logging.INFO, "%s: %s%s", self._who, estimate, source)
        self.check(estimate)

    def check(self, estimate: Estimate) -> None:
        """As `admit`, without logging."""
        total_in, total_out = self.counted_in + estimate.tokens_in, self.counted_out + estimate.tokens_out
        over = self._over(total_in, total_out)
        if over:
            before = f", after {self.counted_in + self.counted_out:,} tokens used before" if self.counted_in else ""
            raise SettingError(
                f"{self._who}: {estimate}{before}, which exceeds the cap of {over}. Nothing was sent. Raise "
                f"{self._named()}, or use fewer or shorter texts."
            )

    def reserve(self, bound: Bound) -> bool:
        """Reserves the most that a request can use; False if that would exceed a cap."""
        with self._guard:
            total_in = self.counted_in + self._reserved_in + bound.tokens_in
            total_out = self.counted_out + self._reserved_out + bound.tokens_out
            if self._over(total_in, total_out):
                return False
            self._reserved_in += bound.tokens_in
            self._reserved_out += bound.tokens_out
            return True

    def settle(self, bound: Bound, tokens_in: int, tokens_out: int = 0) -> None:
        """Counts what a request used instead of what was reserved for it; 0 and 0 if it failed."""
        with self._guard:
            self._reserved_in -= bound.tokens_in
            self._reserved_out -= bound.tokens_out
            self.counted_in += tokens_in
            self.counted_out += tokens_out

    def count_lost(self, bound: Bound) -> SettingError | None:
        """Counts the most that a request without a usable answer can have used, since the server may charge for it.

        Returns:
            An error if the same request again could exceed a cap; else None.
        """
        with self._guard:
            self.counted_in += bound.tokens_in
            self.counted_out += bound.tokens_out
            self._lost += 1
            over = self._over(self.counted_in + self._reserved_in, self.counted_out + self._reserved_out)
        return self.refusal() if over else None

    def exceeded(self) -> SettingError | None:
        """An error if the server has counted more than a cap."""
        over = self._over(self.counted_in, self.counted_out)
        return self._stopped(f"exceeds the cap of {over}") if over else None

    def refusal(self) -> SettingError:
        """The error for a next request that could exceed a cap."""
        return self._stopped(f"and the next request could exceed the cap of {self._caps()}")

    def _stopped(self, why: str) -> SettingError:
        spent = self.dollars(self.counted_in, self.counted_out)
        used = f"{self.counted_in + self.counted_out:,} tokens" if spent is None else dollars(spent)
        lost = f" ({self._lost:,} requests without an answer counted at their most)" if self._lost else ""
        return SettingError(
            f"{self._who}: the run has used {used} by the server's count{lost}, {why}: stopped. Answers are cached and "
            f"not paid for again; raise {self._named()} to continue, or use fewer or shorter texts."
        )

    def _over(self, tokens_in: int, tokens_out: int) -> str:
        """The cap that so much exceeds; empty if it exceeds none."""
        spent = self.dollars(tokens_in, tokens_out)
        if self._cap is not None and spent is not None and spent > self._cap:
            return dollars(self._cap)
        if self._cap_tokens is not None and tokens_in + tokens_out > self._cap_tokens:
            return f"{self._cap_tokens:,} tokens"
        return ""

    def _caps(self) -> str:
        caps = [] if self._cap is None else [dollars(self._cap)]
        caps += [] if self._cap_tokens is None else [f"{self._cap_tokens:,} tokens"]
        return " or ".join(caps)

    def _named(self) -> str:
        settings = {"cap": self._cap, "cap_tokens": self._cap_tokens}
        return " and ".join(name for name, value in settings.items() if value is not None)


def dollars(amount: float) -> str:
    """An amount as it is printed."""
    if amount >= 1 or amount == 0:
        return f"${amount:,.2f}"
    return f"${np.format_float_positional(float(f'{amount:.4g}'), trim='-')}"
