"""The paired randomisation test: how often signs drawn at random give so large a mean difference."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from harness.statistics.paired import ROUNDING, Values

EXACT = 20
"""Up to so many queries that differ, all 2ⁿ assignments of signs are gone through."""
DRAWS = 100_000
"""Else so many are drawn: the standard error of a p-value of 0.05 is then 0.0007."""
BLOCK, CELLS = 2000, 25_000_000
"""So many are looked at together, fewer where they would be more signs than `CELLS`."""


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
        draws: how many assignments are drawn, where more than 20 queries differ.
    """
    return many_sign_flips(differences.reshape(-1, 1), seed, draws)[0]


def many_sign_flips(differences: Values, seed: int = 0, draws: int = DRAWS) -> list[Randomised]:
    """As `sign_flips`, for (n, contrasts) differences: the signs that are drawn are the same for all."""
    nonzero = np.abs(differences) > ROUNDING
    few = nonzero.sum(0) <= EXACT
    found: list[Randomised | None] = [_exact(c[k]) if f else None for c, k, f in zip(differences.T, nonzero.T, few, strict=True)]
    drawn = iter(_drawn(differences[:, ~few], seed, draws)) if not few.all() else iter(())
    return [next(drawn) if one is None else one for one in found]


def _exact(differences: Values) -> Randomised:
    sums = np.zeros(1)
    for value in differences:
        sums = np.concatenate([sums + value, sums - value])
    observed = abs(float(differences.sum()))
    return Randomised(float((np.abs(sums) >= observed - ROUNDING).mean()), len(sums), exact=True)


def _drawn(differences: Values, seed: int, draws: int) -> list[Randomised]:
    n = len(differences)
    rng = np.random.default_rng([seed, n])
    total = differences.sum(0)
    observed = np.abs(total) - ROUNDING
    reached = np.zeros(differences.shape[1], np.int64)
    most = min(BLOCK, max(1, CELLS // max(1, n)))
    for start in range(0, draws, most):
        block = min(most, draws - start)
        bits = np.unpackbits(rng.integers(0, 256, (block, -(-n // 8)), np.uint8), axis=1, count=n)
        sums = 2.0 * (bits.astype(np.float64) @ differences) - total
        reached += (np.abs(sums) >= observed).sum(0)
    return [Randomised(float((count + 1) / (draws + 1)), draws, exact=False) for count in reached]
