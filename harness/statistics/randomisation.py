"""The paired randomisation test: how often signs drawn at random give so large a mean difference."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from harness.statistics.paired import ROUNDING, Values

EXACT = 20
"""Up to so many queries that differ, all 2ⁿ assignments of signs are gone through."""
DRAWS = 100_000
"""Else so many are drawn: the standard error of a p-value of 0.05 is then 0.0007."""
_BLOCK = 4_000_000


@dataclass(frozen=True)
class Randomised:
    """A p-value and how it was found.

    Args:
        p: two-sided.
        draws: assignments of signs that were looked at.
        exact: whether these were all there are.
    """

    p: float
    draws: int
    exact: bool


def sign_flips(differences: Values, seed: int = 0, draws: int = DRAWS) -> Randomised:
    """Two-sided randomisation test of a mean paired difference of 0.

    If both systems are alike, each query's difference is as likely to bear the other sign. The p-value is the share of
    assignments whose mean is at least as far from 0 as the one found; where they are drawn, p = (c + 1) / (B + 1), so that it
    is valid and never 0 (Phipson and Smyth 2010). For retrieval: Smucker, Allan and Carterette (CIKM 2007).

    Args:
        differences: (n,) of one query each.
        seed: gives the same p-value again.
        draws: how many assignments are drawn, where there are more than 2²⁰.
    """
    found = np.abs(differences[np.abs(differences) > ROUNDING])  # no sign changes 0, and the others' are drawn anyway
    observed = abs(float(differences.sum()))
    if len(found) <= EXACT:
        sums = np.zeros(1)
        for value in found:
            sums = np.concatenate([sums + value, sums - value])
        return Randomised(float((np.abs(sums) >= observed - ROUNDING).mean()), len(sums), exact=True)
    rng = np.random.default_rng([seed, len(found)])
    reached, left = 0, draws
    while left:
        block = min(left, max(1, _BLOCK // len(found)))
        bits = np.unpackbits(rng.integers(0, 256, (block, -(-len(found) // 8)), np.uint8), axis=1, count=len(found))
        sums = 2.0 * (bits @ found) - found.sum()
        reached += int((np.abs(sums) >= observed - ROUNDING).sum())
        left -= block
    return Randomised((reached + 1) / (draws + 1), draws, exact=False)
