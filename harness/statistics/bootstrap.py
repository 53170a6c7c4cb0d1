"""Confidence intervals of a mean over queries, by resampling the queries."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from harness.statistics.paired import ROUNDING, Values

RESAMPLES = 10_000
FEW = 1000
"""Where at most so many are asked for, no more are drawn: a simulation asks a few of each of thousands of seeds."""
LEVEL = 0.95
COLUMNS = 512
"""Columns that are resampled together, with the same draws for all; thousands of rows at once would take gigabytes."""
_BLOCK = 4_000_000


@dataclass(frozen=True)
class Interval:
    """From `low` to `high`, at confidence `level`."""

    low: float
    high: float
    level: float = LEVEL


def intervals(values: Values, seed: int = 0, level: float = LEVEL, resamples: int = RESAMPLES) -> list[Interval]:
    """Of the mean of each column, bias-corrected and accelerated (BCa).

    Source: Efron (1987), with the closed form of the acceleration of a mean, Σ(x − x̄)³ / 6(Σ(x − x̄)²)^1.5. All
    columns are resampled with the same draws of queries.

    Args:
        values: (n,) or (n, columns), one query per line.
        seed: of the draws; the same seed gives the same intervals.
        level: confidence.
        resamples: how many.
    """
    return stratified_intervals([values], seed, level, resamples)


def stratified_intervals(
    strata: Sequence[Values], seed: int = 0, level: float = LEVEL, resamples: int = RESAMPLES
) -> list[Interval]:
    """Of the mean over strata of their means, column by column: queries are resampled within their stratum, BCa as
    above.

    Source: Davison and Hinkley (1997), sections 3.2 and 5.3.2: with u = (x − x̄ₛ) / (S nₛ) for the queries of stratum
    s, the acceleration is Σu³ / 6(Σu²)^1.5 over all queries. The spread of a stratum of one query is unknown and counts
    as 0.

    Args:
        strata: (nₛ,) or (nₛ, columns) each, at least one query in each.
        seed: of the draws.
        level: confidence.
        resamples: how many.
    """
    tables = [values.reshape(len(values), -1) for values in strata]
    columns = tables[0].shape[1]
    parts = [[table[:, start : start + COLUMNS] for table in tables] for start in range(0, columns, COLUMNS)]
    return [interval for part in parts for interval in _intervals(part, seed, level, resamples)]


def _intervals(tables: Sequence[Values], seed: int, level: float, resamples: int) -> list[Interval]:
    from scipy import special  # slow to import, and a listing needs none of it

    means = np.mean([table.mean(0) for table in tables], axis=0)
    pulls = [(table - table.mean(0)) / (len(tables) * len(table)) for table in tables]
    together = np.concatenate(pulls)
    squares, cubes = (together**2).sum(0), (together**3).sum(0)
    # Contiguous by column, since each column's resamples are read several times.
    drawn = np.ascontiguousarray(_drawn(pulls, seed, resamples).T)
    found = []
    tail = special.ndtri((1 - level) / 2)
    for column, mean in enumerate(means):
        if squares[column] <= ROUNDING**2 / len(together):
            found.append(Interval(float(mean), float(mean), level))
            continue
        moved = drawn[column]
        # A resample whose mean is that of the sample counts half.
        below = ((moved < -ROUNDING).sum() + (moved < ROUNDING).sum()) / (2 * resamples)
        bias = special.ndtri(np.clip(below, 1 / (resamples + 1), 1 - 1 / (resamples + 1)))
        acceleration = cubes[column] / (6 * squares[column] ** 1.5)
        ends = [bias + (bias + z) / (1 - acceleration * (bias + z)) for z in (tail, -tail)]
        low, high = np.quantile(moved, special.ndtr(ends))
        found.append(Interval(float(mean + low), float(mean + high), level))
    return found


def _drawn(pulls: Sequence[Values], seed: int, resamples: int) -> Values:
    """(resamples, columns): how far each resample moves the mean."""
    if len(pulls) == 1 and (times := first_drawn(seed, len(pulls[0]), resamples)) is not None:
        return np.asarray(times.astype(np.float64) @ pulls[0])
    rng = np.random.default_rng([seed, *map(len, pulls)])
    moved = np.zeros((resamples, pulls[0].shape[1]))
    for pull in pulls:
        n = len(pull)
        block = max(1, _BLOCK // n)
        for start in range(0, resamples, block):
            size = min(block, resamples - start)
            moved[start : start + size] += times_drawn(rng, size, n) @ pull
    return moved


def first_drawn(seed: int, n: int, draws: int) -> npt.NDArray[np.uint16] | None:
    """(draws, n) the first resamples of n queries by a seed, shared by a dataset's measures; None if too many."""
    if draws > RESAMPLES or RESAMPLES * n > _BLOCK:
        return None
    return _kept(seed, n, FEW if draws <= FEW else RESAMPLES)[:draws]


@functools.lru_cache(maxsize=1)
def _kept(seed: int, n: int, draws: int) -> npt.NDArray[np.uint16]:
    return times_drawn(np.random.default_rng([seed, n]), draws, n).astype(np.uint16)


def times_drawn(rng: np.random.Generator, draws: int, n: int) -> Values:
    """(draws, n) how often each of n queries is in each resample of n."""
    places = rng.integers(0, n, (draws, n)) + n * np.arange(draws)[:, None]
    times: Values = np.bincount(places.ravel(), minlength=draws * n).reshape(draws, n).astype(np.float64)
    return times
