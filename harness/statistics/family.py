"""A family of contrasts: the differences between rows, each with an interval, a p-value and a verdict that agree."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from harness.statistics.bootstrap import LEVEL, Interval
from harness.statistics.largest import DRAWS, Largest, Places, affordable, bound, largest
from harness.statistics.paired import ROUNDING, Values
from harness.statistics.student import upper_point, upper_tail

Flags = npt.NDArray[np.bool_]
_CELLS = 4_000_000


@dataclass(frozen=True)
class Difference:
    """The first row's mean minus the second's.

    Args:
        mean: of the paired differences.
        interval: of it; the level is of all intervals of the family simultaneously.
        p: corrected for all contrasts of the family; at most 1 − level if and only if the interval excludes 0.
        error: standard error.
    """

    mean: float
    interval: Interval
    p: float
    error: float

    @property
    def tied(self) -> bool:
        """Whether the interval contains 0. This is the only place that decides it."""
        return self.interval.low <= 0 <= self.interval.high

    @property
    def reversed(self) -> Difference:
        """The second row's mean minus the first's."""
        turned = Interval(0.0 - self.interval.high, 0.0 - self.interval.low, self.interval.level)
        return Difference(0.0 - self.mean, turned, self.p, self.error)


@dataclass(frozen=True, eq=False)
class Family:
    """Rows whose differences are tested together.

    Args:
        strata: (n, rows) values for each dataset; all datasets have equal weight.
        largest: distribution of its contrasts' largest |t| under the null hypothesis.
        seed_error: (rows,) squared standard error of a row's mean that is due to its seeds; 0 for one seed.
        seed_freedom: (rows,) number of its seeds minus 1.
        judge: of each dataset (rows, rows) the size up to which a difference may have the wrong sign because a machine
            judged (`harness.statistics.judge_error`); None for judgements of people. Empty if all are of people.
    """

    strata: tuple[Values, ...]
    largest: Largest
    seed_error: Values = field(repr=False)
    seed_freedom: Values = field(repr=False)
    judge: tuple[Values | None, ...] = field(default=(), repr=False)

    @property
    def contrasts(self) -> int:
        """For how many the intervals and p-values are corrected."""
        return self.largest.contrasts

    @property
    def widened(self) -> bool:
        """Whether intervals cover errors of a judge too."""
        return any(sizes is not None and bool(sizes.any()) for sizes in self.judge)

    def judge_size(self, first: int, second: int) -> float:
        """Of `judge`, of two rows; the largest of the datasets."""
        return max((float(sizes[first, second]) for sizes in self.judge if sizes is not None), default=0.0)

    @property
    def queries(self) -> int:
        """Of all datasets."""
        return sum(len(values) for values in self.strata)

    def pairwise_alpha(self, level: float = LEVEL) -> float:
        """The level of one paired t-test whose critical value is that of the family."""
        critical = self.largest.critical(level)
        return float(2 * upper_tail(critical, self.largest.freedom)) if math.isfinite(critical) else 0.0

    def difference(self, first: int, second: int, level: float = LEVEL) -> Difference:
        """Of two rows of the family."""
        (found,) = self.differences(np.array([first]), np.array([second]), level)
        return found

    def differences(self, first: Places, second: Places, level: float = LEVEL) -> list[Difference]:
        """Of several pairs of rows, at one level."""
        found: list[Difference] = []
        for start in range(0, len(first), step := max(1, _CELLS // max(1, self.queries))):
            here = slice(start, start + step)
            mean, error, half, p = self._reaches(first[here], second[here], level)
            for m, e, h, value in zip(mean.tolist(), error.tolist(), half.tolist(), p.tolist(), strict=True):
                found.append(Difference(m, Interval(m - h, m + h, level), value, e))
        return found

    def better(self) -> Flags:
        """(rows, rows) whether the one row is significantly better than the other, as by `differences` of all pairs."""
        rows = self.strata[0].shape[1]
        means = np.mean([values.mean(0) for values in self.strata], axis=0)
        found = np.zeros((rows, rows), np.bool_)
        for start in range(0, rows, step := max(1, _CELLS // rows)):
            block = np.arange(start, min(rows, start + step))
            sure, unsure = self._screened(block, means)
            first, second = np.nonzero(unsure)
            first += start
            upper = first < second
            first, second = first[upper], second[upper]
            found[block] |= sure & (means[block, None] > means)
            for part in range(0, len(first), width := max(1, _CELLS // self.queries)):
                a, b = first[part : part + width], second[part : part + width]
                mean, _, half, _ = self._reaches(a, b, LEVEL)
                up, down = mean - half > 0, mean + half < 0
                found[a[up], b[up]] = True
                found[b[down], a[down]] = True
        return found

    def _screened(self, block: Places, means: Values) -> tuple[Flags, Flags]:
        """(block, rows) pairs that are certainly significant, and pairs that must be tested query by query.

        From the covariances of the rows, so that boards of thousands of rows take seconds. Uncertain are pairs near
        the critical value, pairs with several seeds, and pairs whose difference is so small that it may come from a few
        queries.
        """
        datasets = len(self.strata)
        squared, noise = np.zeros((len(block), len(means))), 0.0
        for values in self.strata:
            if (n := len(values)) > 1:
                centred = values - values.mean(0)
                variance = (centred**2).sum(0)
                scale = 1 / (datasets**2 * n * (n - 1))
                squared += scale * (variance[block, None] + variance - 2 * centred[:, block].T @ centred)
                noise += scale * 4e-12 * float(variance.max())
        gap = np.abs(means[block, None] - means)
        critical = self.largest.critical()
        if not math.isfinite(critical):
            return np.zeros_like(gap, np.bool_), np.zeros_like(gap, np.bool_)
        low, high = (critical**2 * np.maximum(squared + side, 0.0) for side in (-noise, noise))
        above, maybe = gap**2 > high * (1 + 1e-9), gap**2 >= low * (1 - 1e-9)
        reach = max(float(np.ptp(values)) / (datasets * len(values)) for values in self.strata)
        plain = (self.seed_error[block, None] == 0) & (self.seed_error == 0)
        for sizes in self.judge:
            plain &= sizes is None or sizes[block] == 0
        sure = above & (gap > fewest(LEVEL) * reach) & plain
        return sure, maybe & ~sure & (gap > ROUNDING)

    def _reaches(self, first: Places, second: Places, level: float) -> tuple[Values, Values, Values, Values]:
        """(contrasts,) means, standard errors, half widths of their intervals, p-values."""
        mean, squared, differing = self._moments(first, second)
        critical = self.largest.critical(level)
        own, parts = squared.copy(), [(squared, np.full(len(squared), float(max(1, self.largest.freedom))))]
        for side in (first, second):
            parts.append((self.seed_error[side], np.maximum(1.0, self.seed_freedom[side])))
            squared = squared + self.seed_error[side]
        error = np.sqrt(squared)
        t = np.divide(np.abs(mean), error, out=np.where(np.abs(mean) > 0, np.inf, 0.0), where=error > 0)
        reach = np.full(len(mean), critical)
        seeds = squared > own
        if seeds.any() and math.isfinite(critical):
            # Critical value and t at the same p-value with fewer degrees of freedom (Satterthwaite 1946).
            below = sum(part[seeds] ** 2 / freedom[seeds] for part, freedom in parts)
            freedom = squared[seeds] ** 2 / np.maximum(below, np.finfo(float).tiny)
            reach[seeds] = np.maximum(critical, upper_point(upper_tail(critical, self.largest.freedom), freedom))
            t[seeds] = np.minimum(t[seeds], upper_point(upper_tail(t[seeds], freedom), self.largest.freedom))
        p = self.largest.p_values(t)
        half = np.multiply(reach, error, out=np.zeros_like(error), where=error > 0)
        few = differing < fewest(level)
        half[few] = np.maximum(half[few], np.abs(mean[few]))
        p = np.maximum(p, np.minimum(1.0, 2.0 ** (1 - differing)))  # the chance that all signs are equal
        if self.queries < fewest(level):
            half[:] = np.inf
        return mean, error, half, p

    def _moments(self, first: Places, second: Places) -> tuple[Values, Values, Values]:
        """(contrasts,) means, squared standard errors, numbers of queries on which the rows differ."""
        datasets = len(self.strata)
        mean, squared, bias, differing = (np.zeros(len(first)) for _ in range(4))
        for values, sizes in zip(self.strata, self.judge or (None,) * datasets, strict=True):
            differences = values[:, first] - values[:, second]
            differences[np.abs(differences) <= ROUNDING] = 0.0
            mean += differences.mean(0) / datasets
            differing += (differences != 0).sum(0)
            if len(values) > 1:
                spread = differences.var(axis=0, ddof=1)
                spread = np.where(spread > ROUNDING**2, spread, 0.0)
                squared += spread / (datasets**2 * len(values))
                if sizes is not None:
                    bias += np.multiply(sizes[first, second] ** 2, spread, out=np.zeros_like(spread), where=spread > 0)
        # An interval is the root of (c · standard error)² + (size · deviation)².
        critical = self.largest.critical()
        if math.isfinite(critical):
            squared += bias / (datasets * critical) ** 2
        return mean, squared, differing


def fewest(level: float) -> int:
    """The least number of queries on which two rows must differ for a verdict.

    On fewer, all differences have the same sign too often by chance, with probability 2^(1 − m) for m queries.
    """
    return math.ceil(1 - math.log2(1 - level) - 1e-9)


def family(
    strata: Sequence[Values],
    first: Places | None = None,
    second: Places | None = None,
    seed_error: Values | None = None,
    seed_freedom: Values | None = None,
    seed: int = 0,
    draws: int = DRAWS,
    judge: Sequence[Values | None] = (),
) -> Family:
    """The requested contrasts, or all pairs of rows.

    Args:
        strata: (n, rows) values for each dataset, one query per line; at least one query and one row.
        first: (contrasts,) columns; None takes all pairs.
        second: (contrasts,) columns that they are compared with.
        seed_error: (rows,) squared standard errors due to the seeds; None for 0.
        seed_freedom: (rows,) their degrees of freedom.
        seed: of the resamples.
        draws: how many resamples at most.
        judge: as `Family.judge`.
    """
    rows = strata[0].shape[1]
    if first is None or second is None:
        pairs = math.comb(rows, 2)
        if affordable(strata, pairs, draws):
            first, second = np.triu_indices(rows, 1)
            found = largest(strata, first, second, seed, draws)
        else:  # thousands of rows have millions of pairs, which are not even listed
            found = bound(strata, pairs)
    else:
        found = largest(strata, first, second, seed, draws)
    error, freedom = (np.zeros(rows) if each is None else each for each in (seed_error, seed_freedom))
    return Family(tuple(strata), found, error, freedom, tuple(judge))
