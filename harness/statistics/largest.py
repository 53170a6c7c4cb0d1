"""The distribution of the largest of many paired t statistics under the null hypothesis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from harness.statistics.bootstrap import LEVEL, first_drawn, times_drawn
from harness.statistics.paired import ROUNDING, Values
from harness.statistics.student import upper_point, upper_tail

Places = npt.NDArray[np.intp]
DRAWS = 9_999
"""Resamples of the queries; one more is a round number, so that rounding moves no p-value across α."""
LEAST_DRAWS = 999
"""With fewer the 95 % quantile is too uncertain; the bound by Student's t is used instead."""
MOST_WORK = 5e9
"""Multiplications of the resampling: about half a second on one core."""
FLOOR = 1 / 3
"""Least standard error in a resample, as a share of the contrast's: a resample without the few queries on which two
rows differ has a standard error of 0, and one such pair would determine the critical value of all.
"""
_CELLS = 4_000_000


@dataclass(frozen=True, eq=False)
class Largest:
    """The distribution of the largest |t| of several contrasts under the null hypothesis.

    Args:
        drawn: (draws,) ascending, of resamples; empty if the bound by Student's t is used instead.
        contrasts: how many there are.
        freedom: degrees of freedom of one contrast's t.
    """

    drawn: Values
    contrasts: int
    freedom: int

    @property
    def resampled(self) -> bool:
        """Whether it is of resamples, not the bound."""
        return len(self.drawn) > 0

    def critical(self, level: float = LEVEL) -> float:
        """c: all intervals `difference ± c · standard error` contain the true differences with confidence `level`.

        It is never below Student's t of a single contrast. Without resamples it is Student's t at (1 − level) /
        contrasts.
        """
        if self.freedom < 1:
            return float("inf")
        if not self.resampled:
            return float(upper_point((1 - level) / (2 * max(1, self.contrasts)), self.freedom))
        place = int((1 - level) * (len(self.drawn) + 1) + 1e-9)
        return max(float(self.drawn[-max(1, place)]), float(upper_point((1 - level) / 2, self.freedom)))

    def p_values(self, statistics: Values) -> Values:
        """(contrasts,) p-values corrected for all: at most α if and only if |t| reaches the critical value at 1 − α."""
        size = np.abs(statistics)
        if self.freedom < 1:
            return np.ones_like(size)
        uncorrected = 2 * upper_tail(size, self.freedom)
        if not self.resampled:
            return np.asarray(np.minimum(1.0, uncorrected * max(1, self.contrasts)), np.float64)
        reached = len(self.drawn) - np.searchsorted(self.drawn, size, side="left")
        return np.asarray(np.maximum((reached + 1) / (len(self.drawn) + 1), uncorrected), np.float64)


def largest(strata: Sequence[Values], first: Places, second: Places, seed: int = 0, draws: int = DRAWS) -> Largest:
    """Resamples queries, and takes the largest |t| of all contrasts in each resample.

    The single-step max-T method with a studentised bootstrap (Romano and Wolf 2005; Hall 1988 for its symmetric
    interval; for one contrast it is the paired test of Sakai 2006, on evaluation of retrieval): in each resample the t
    of a contrast is how far its mean moved, over the standard error in that resample. Skewed differences widen it,
    which sign flips do not show.

    Args:
        strata: (n, rows) values for each dataset, one query per line; all datasets have equal weight.
        first: (contrasts,) columns of the rows.
        second: (contrasts,) columns of the rows that they are compared with.
        seed: of the draws.
        draws: how many resamples, fewer if the work would be more than `MOST_WORK`.
    """
    sizes = [len(values) for values in strata]
    draws = affordable(strata, len(first), draws)
    if draws == 0:
        return bound(strata, len(first))
    rng = np.random.default_rng([seed, *sizes])
    several = [values for values in strata if len(values) > 1]  # the spread of a single query is unknown
    centred = [(values - values.mean(0)).astype(np.float32) for values in several]
    top = np.zeros(draws, np.float32)
    block = min(draws, max(256, _CELLS // sum(sizes)))
    width = max(1, _CELLS // max(block, sum(sizes)))
    for begin in range(0, draws, block):
        count = min(block, draws - begin)
        shared = first_drawn(seed, sizes[0], draws) if len(sizes) == 1 and count == draws else None
        drawn = [times_drawn(rng, count, len(values)) for values in several] if shared is None else [shared]
        weights = [times.astype(np.float32) for times in drawn]
        for start in range(0, len(first), width):
            here = slice(start, start + width)
            squared = _squared_statistics(weights, centred, first[here], second[here], len(strata))
            np.maximum(top[begin : begin + count], squared.max(1, initial=0.0), out=top[begin : begin + count])
    return Largest(np.sort(np.sqrt(top.astype(np.float64))), len(first), sum(sizes) - len(sizes))


def affordable(strata: Sequence[Values], contrasts: int, draws: int = DRAWS) -> int:
    """How many resamples are drawn; 0 if there would be too few, or if each dataset has only one query."""
    queries = sum(map(len, strata))
    within = int(MOST_WORK / (2 * queries * max(1, contrasts))) // 1000 * 1000 - 1
    possible = min(draws, within)
    return possible if possible >= min(draws, LEAST_DRAWS) and queries > len(strata) else 0


def bound(strata: Sequence[Values], contrasts: int) -> Largest:
    """The bound by Student's t at α / contrasts, without resamples."""
    return Largest(np.empty(0), contrasts, sum(map(len, strata)) - len(strata))


def _squared_statistics(
    weights: Sequence[npt.NDArray[np.float32]],
    centred: Sequence[npt.NDArray[np.float32]],
    first: Places,
    second: Places,
    datasets: int,
) -> npt.NDArray[np.float32]:
    """(draws, contrasts) squares of t; without the contrasts that do not vary."""
    moved = np.zeros((len(weights[0]), len(first)), np.float32)
    squared, own = np.zeros_like(moved), np.zeros(len(first), np.float32)
    for drawn, values in zip(weights, centred, strict=True):
        n = len(values)
        differences = values[:, first] - values[:, second]
        shift = drawn @ differences / np.float32(n)
        differences *= differences
        scale = np.float32(1 / (datasets**2 * (n - 1)))
        squared += (drawn @ differences / np.float32(n) - shift * shift) * scale
        own += differences.mean(0) * scale
        moved += shift / np.float32(datasets)
    varies = own > ROUNDING**2
    least = own[varies] * np.float32(FLOOR**2)
    found: npt.NDArray[np.float32] = moved[:, varies] ** 2 / np.maximum(squared[:, varies], least)
    return found
