"""The meter: what a run will take, what it has taken, and the cap that it refuses to pass."""

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


def tokens(text: str) -> int:
    """About how many tokens a text has: four ASCII characters are one, and each other character is one by itself."""
    ascii_only = len(text.encode("ascii", "ignore"))
    return math.ceil(ascii_only / CHARACTERS_PER_TOKEN) + len(text) - ascii_only


def counted(told: object) -> int:
    """A number of tokens as a server tells it; 0 for what is no number, or a negative one, which would make room under
    a cap.
    """
    if isinstance(told, bool) or not isinstance(told, (int, float)) or not 0 <= told < math.inf:
        return 0
    return int(told)


def most_tokens(text: str) -> int:
    """More tokens than a text can have: a token spells one byte at least, and a model may add a few of its own."""
    return len(text.encode("utf-8", "surrogatepass")) + 8


@dataclass(frozen=True)
class Estimate:
    """What is expected to be asked.

    Args:
        requests: at most.
        texts: distinct ones; 0 where requests are not made of texts.
        tokens_in: to be sent, by `tokens`.
        tokens_out: the most that can be answered.
        dollars: None where no price is known.
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
        cost = "at a price that is not known" if self.dollars is None else f"{dollars(self.dollars)} at most"
        texts = f"{self.texts:,} texts in " if self.texts else ""
        out = f", at most {self.tokens_out:,} out" if self.tokens_out else ""
        return f"{texts}{self.requests:,} requests, about {self.tokens_in:,} tokens in{out}: {cost}"


@dataclass(frozen=True)
class Bound:
    """The most that one request can take: tokens sent, tokens answered."""

    tokens_in: int
    tokens_out: int = 0


class Meter:
    """Counts what a run takes; refuses what would pass a cap. Threads may count at once.

    A request is let through only where what was counted, what is under way at its most, and the request at its most
    stay within
    the caps: by the server's own count no cap is passed, unless the server counts more tokens than there are bytes.

    Args:
        who: the value that asks, and its model, for messages.
        price: None where none is known; then only tokens can be capped.
        cap: dollars; None for no cap.
        cap_tokens: tokens sent and answered together; None for no cap.

    Raises:
        SettingError: a cap in dollars without a price.
    """

    def __init__(self, who: str, price: Price | None, cap: float | None, cap_tokens: int | None = None) -> None:
        self._who, self.price, self._cap, self._cap_tokens = who, price, cap, cap_tokens
        self._guard = threading.Lock()
        self.counted_in = self.counted_out = 0
        self._reserved_in = self._reserved_out = 0
        self._lost = 0
        if cap is not None and price is None:
            raise SettingError(
                f"{who}: cap is in dollars and no price is known: set its price in dollars for a million tokens, or "
                f"cap_tokens."
            )

    def estimate(self, requests: int, texts: int, tokens_in: int, tokens_out: int = 0) -> Estimate:
        """So much, with what it costs."""
        return Estimate(requests, texts, tokens_in, tokens_out, self.dollars(tokens_in, tokens_out))

    def dollars(self, tokens_in: int, tokens_out: int = 0) -> float | None:
        """What so many tokens cost; None where no price is known."""
        return None if self.price is None else self.price.dollars(tokens_in, tokens_out)

    def admit(self, estimate: Estimate) -> None:
        """Tells what is about to be asked, and refuses what is over a cap with what was counted before.

        Raises:
            SettingError: it is over a cap; nothing was asked.
        """
        source = f" (price: {self.price.source})" if self.price else " (cap it with cap_tokens)"
        log.log(logging.WARNING if estimate.dollars != 0 else logging.INFO, "%s: %s%s", self._who, estimate, source)
        self.check(estimate)

    def check(self, estimate: Estimate) -> None:
        """As `admit`, telling nothing."""
        total_in, total_out = self.counted_in + estimate.tokens_in, self.counted_out + estimate.tokens_out
        over = self._over(total_in, total_out)
        if over:
            before = f", after {self.counted_in + self.counted_out:,} tokens before it" if self.counted_in else ""
            raise SettingError(
                f"{self._who}: {estimate}{before}, over the cap of {over}. Raise {self._named()} or ask about less."
            )

    def reserve(self, bound: Bound) -> bool:
        """Sets aside the most that a request can take; False where that would pass a cap."""
        with self._guard:
            total_in = self.counted_in + self._reserved_in + bound.tokens_in
            total_out = self.counted_out + self._reserved_out + bound.tokens_out
            if self._over(total_in, total_out):
                return False
            self._reserved_in += bound.tokens_in
            self._reserved_out += bound.tokens_out
            return True

    def settle(self, bound: Bound, tokens_in: int, tokens_out: int = 0) -> None:
        """Counts what a request took in place of what was set aside for it; 0 and 0 where it came to nothing."""
        with self._guard:
            self._reserved_in -= bound.tokens_in
            self._reserved_out -= bound.tokens_out
            self.counted_in += tokens_in
            self.counted_out += tokens_out

    def lose(self, bound: Bound) -> SettingError | None:
        """Counts a request that brought no usable answer at its most, since the server may count it.

        Returns:
            What to say where the same request again could pass a cap; None where there is room.
        """
        with self._guard:
            self.counted_in += bound.tokens_in
            self.counted_out += bound.tokens_out
            self._lost += 1
            over = self._over(self.counted_in + self._reserved_in, self.counted_out + self._reserved_out)
        return self.refusal() if over else None

    def passed(self) -> SettingError | None:
        """Where the server has counted more than a cap: what to say of it."""
        over = self._over(self.counted_in, self.counted_out)
        return self._stopped(over, "over") if over else None

    def refusal(self) -> SettingError:
        """What to say where the next request could pass a cap."""
        return self._stopped(self._caps(), "and the next request could pass")

    def _stopped(self, cap: str, how: str) -> SettingError:
        spent = self.dollars(self.counted_in, self.counted_out)
        money = (
            f"{dollars(spent)} are spent"
            if spent is not None
            else f"{self.counted_in + self.counted_out:,} tokens are used"
        )
        lost = f" with {self._lost:,} requests without an answer at their most" if self._lost else ""
        return SettingError(
            f"{self._who}: {money} by the server's count{lost}, {how} the cap of {cap}: no more is asked. What was "
            f"answered is "
            f"kept and will not be paid for again; raise {self._named()} to ask about the rest, or ask about less."
        )

    def _over(self, tokens_in: int, tokens_out: int) -> str:
        """The cap that so much is over; empty where it is over none."""
        spent = self.dollars(tokens_in, tokens_out)
        if self._cap is not None and spent is not None and spent > self._cap:
            return dollars(self._cap)
        if self._cap_tokens is not None and tokens_in + tokens_out > self._cap_tokens:
            return f"{self._cap_tokens:,} tokens"
        return ""

    def _caps(self) -> str:
        money = [] if self._cap is None else [dollars(self._cap)]
        return " or ".join([*money, *([] if self._cap_tokens is None else [f"{self._cap_tokens:,} tokens"])])

    def _named(self) -> str:
        return "cap_tokens" if self._cap is None else "cap" if self._cap_tokens is None else "cap and cap_tokens"


def dollars(amount: float) -> str:
    """An amount as it is told."""
    if amount >= 1 or amount == 0:
        return f"${amount:,.2f}"
    return f"${np.format_float_positional(float(f'{amount:.4g}'), trim='-')}"
