"""The paired randomisation test: how often signs drawn at random give so large a mean difference."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from harness.statistics.paired import ROUNDING, Values

EXACT = 20
"""Up to so many queries that differ, all 2ⁿ assignments of signs are gone through."""
DRAWS = 100_000
"""Else so many are drawn: the standard error of a p-value of 0.05 is then 0.0007."""
LEAST_DRAWS, MOST_WORK = 10_000, 5e10
"""Draws for each of many contrasts, and the multiplications that may be spent on those that need more."""
SURE = 20
"""Assignments beyond the observed mean that make a p-value sure enough: its standard error is then a quarter of it."""
_NEWTON = 6
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


def small_p_values(
    differences: Values, alpha: float, seed: int = 0, draws: int = LEAST_DRAWS, work: float = MOST_WORK
) -> list[float]:
    """p-values of many contrasts that share α, fine enough to tell each from α / contrasts.

    So few draws as suit a board cannot give a p-value below 1 / (draws + 1). Where that is what stands between a contrast and
    its share of α, more signs are drawn for it, and the p-value is never more than the bound of `tail_bound`.

    Args:
        differences: (n, contrasts).
        alpha: what they share.
        seed: gives the same p-values again.
        draws: for all.
        work: multiplications that further draws may take.
    """
    tests = many_sign_flips(differences, seed, draws)
    bounds = tail_bound(differences)
    share = alpha / max(1, len(tests))
    coarse = [k for k, test in enumerate(tests) if not test.exact and test.p < SURE / draws and bounds[k] > share / 2]
    more = min(int(SURE / share), int(work / (len(differences) * max(1, len(coarse)))))
    if coarse and more > draws:
        for k, test in zip(coarse, many_sign_flips(differences[:, coarse], seed, more), strict=True):
            tests[k] = test
    return [test.p if test.exact else min(test.p, float(bound)) for test, bound in zip(tests, bounds, strict=True)]


def tail_bound(differences: Values) -> Values:
    """(contrasts,) numbers that the exact two-sided p-values of `sign_flips` cannot exceed; 1 where they say nothing.

    Chernoff's bound: with random signs the sum of n differences d has P(sum >= s) <= exp(K(t) - t s) for any t >= 0, where
    K(t) is the sum of log cosh(t d); t is brought near the best by Newton's steps (Boucheron, Lugosi and Massart 2013, 2.2).

    Args:
        differences: (n, contrasts).
    """
    observed, squares = np.abs(differences.sum(0)), (differences**2).sum(0)
    t = np.divide(observed, squares, out=np.zeros_like(observed), where=squares > 0)
    for _ in range(_NEWTON):
        slope = np.tanh(t * differences)
        bend = (differences**2 * (1 - slope**2)).sum(0)
        step = np.divide(observed - (differences * slope).sum(0), bend, out=np.zeros_like(t), where=bend > squares * 1e-6)
        t = np.clip(t + step, t / 2, 2 * t)
    size = np.abs(t * differences)
    exponent = (size + np.log1p(np.exp(-2 * size)) - np.log(2)).sum(0) - t * observed
    bound: Values = np.minimum(1.0, 2 * np.exp(exponent))
    return bound
