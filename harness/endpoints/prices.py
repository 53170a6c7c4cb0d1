"""Prices: dollars per million tokens, from the settings or from the dated list next to this file (`prices.json`)."""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from harness.endpoints.address import host

PER_MILLION: Final = 1_000_000
FILE: Final = Path(__file__).with_name("prices.json")


@dataclass(frozen=True)
class Price:
    """What tokens cost.

    Args:
        tokens_in: dollars per million tokens sent.
        tokens_out: dollars per million tokens answered.
        source: where the price is from, with its date, or `settings`.
    """

    tokens_in: float
    tokens_out: float
    source: str

    def dollars(self, tokens_in: int, tokens_out: int) -> float:
        """What so many tokens cost."""
        return (tokens_in * self.tokens_in + tokens_out * self.tokens_out) / PER_MILLION


def price(url: str, model: str, tokens_in: float | None = None, tokens_out: float | None = None) -> Price | None:
    """The price of a model at an address; None if it is unknown.

    Settings override the list. The list is by host: the same model at another host (Azure, a gateway, this machine) has
    another price, so it is unknown.

    Args:
        url: base of the address.
        model: as the server calls it.
        tokens_in: dollars per million tokens sent, if it is set.
        tokens_out: the same for tokens answered; 0 for embeddings.
    """
    if tokens_in is not None and tokens_out is not None:
        return Price(tokens_in, tokens_out, "settings")
    prices = _listed()
    listed = prices["hosts"].get(host(url), {}).get(model)
    if listed is None:
        return None
    source = prices["sources"][listed["source"]]
    return Price(
        listed["in"] if tokens_in is None else tokens_in,
        listed.get("out", 0.0) if tokens_out is None else tokens_out,
        f"{source['url']} ({source['date']})",
    )


@functools.cache
def _listed() -> dict[str, Any]:
    return json.loads(FILE.read_text(encoding="utf-8"))  # type: ignore[no-any-return]
