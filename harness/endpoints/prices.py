"""Prices: dollars for a million tokens, as a setting says or as the dated list beside this file knows
(`prices.json`).
"""

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
        tokens_in: dollars for a million tokens sent.
        tokens_out: dollars for a million tokens answered.
        source: where the price is from, with its date, or `settings`.
    """

    tokens_in: float
    tokens_out: float
    source: str

    def dollars(self, tokens_in: int, tokens_out: int) -> float:
        """What so many tokens cost."""
        return (tokens_in * self.tokens_in + tokens_out * self.tokens_out) / PER_MILLION


def price(url: str, model: str, tokens_in: float | None = None, tokens_out: float | None = None) -> Price | None:
    """What a model at an address costs; None where nobody says.

    What is set goes before the list. The list is by host: the same model elsewhere (Azure, a gateway, this machine) has
    its own price, so none is taken for granted.

    Args:
        url: base of the address.
        model: as the server calls it.
        tokens_in: dollars for a million tokens sent, where a setting says so.
        tokens_out: the same of tokens answered; what answers no tokens (embeddings) leaves it at 0.
    """
    if tokens_in is not None and tokens_out is not None:
        return Price(tokens_in, tokens_out, "settings")
    held = _listed()
    found = held["hosts"].get(host(url), {}).get(model)
    if found is None:
        return None
    source = held["sources"][found["source"]]
    told = f"{source['url']} ({source['date']})"
    return Price(
        found["in"] if tokens_in is None else tokens_in,
        found.get("out", 0.0) if tokens_out is None else tokens_out,
        told,
    )


@functools.cache
def _listed() -> dict[str, Any]:
    return json.loads(FILE.read_text(encoding="utf-8"))  # type: ignore[no-any-return]
