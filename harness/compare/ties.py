"""Where rows stand on a board: intervals of their means, differences from the best, ranks, and what the queries can
show.
"""

from __future__ import annotations

import functools
import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from harness.compare.evidence import Scores, family_of
from harness.statistics.bootstrap import Interval, intervals
from harness.statistics.family import Difference, Family, Flags
from harness.statistics.largest import DRAWS, Places
from harness.statistics.power import ALPHA, queries_needed, smallest_difference
from harness.statistics.ranks import letters, ranks

POINT = 0.01
MOST_LETTERS = 100
"""Rows up to which groups of tied rows are looked for: their number may grow beyond any use."""
_PAIRS = 1000


@dataclass(frozen=True)
class Placed:
    """What a board says of a row.

    Args:
        place: of the row in the standing, 0 the best.
        interval: of its mean over queries, at 95 %.
        ranks: the first and the last rank that it may have.
        behind: the row less the best, with its simultaneous 95 % interval; None for the best itself.
        letters: of its groups of tied rows, to be read and not to be compared.
    """

    place: int
    interval: Interval
    ranks: tuple[int, int]
    behind: Difference | None
    letters: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Standing:
    """What can be said of the rows of one dataset by one measure, or of their means over several datasets.

    Args:
        rows: names, best first.
        intervals: of each row's mean over queries, at 95 %.
        family: all pairs of rows. Every verdict on two rows of a board comes from it.
        deviation: the middle standard deviation of a pair's per-query differences; 0 for one row.
    """

    rows: tuple[str, ...]
    intervals: tuple[Interval, ...]
    family: Family
    deviation: float = 0.0

    @property
    def queries(self) -> int:
        """How many."""
        return self.family.queries

    @functools.cached_property
    def behind(self) -> tuple[Difference, ...]:
        """Each row less the first, with simultaneous 95 % intervals."""
        places = np.arange(len(self.rows))
        return tuple(self.family.differences(places, np.zeros_like(places)))

    @functools.cached_property
    def better(self) -> Flags:
        """(rows, rows) whether the one row is significantly better than the other."""
        return self.family.better()

    @functools.cached_property
    def ranks(self) -> tuple[tuple[int, int], ...]:
        """The first and the last rank that each row may have."""
        first, last = ranks(self.better)
        return tuple(zip(first.tolist(), last.tolist(), strict=True))

    @functools.cached_property
    def letters(self) -> tuple[tuple[str, ...], ...]:
        """The groups of tied rows that each row is in, as letters to be read; none where there are too many rows."""
        return tuple(letters(self.better)) if len(self.rows) <= MOST_LETTERS else ((),) * len(self.rows)

    @property
    def placed(self) -> tuple[Placed, ...]:
        """What there is to say of each row."""
        behind = (None, *self.behind[1:])
        return tuple(map(Placed, range(len(self.rows)), self.intervals, self.ranks, behind, self.letters))

    def difference(self, first: int, second: int) -> Difference:
        """The one row less the other, with its simultaneous 95 % interval."""
        return self.family.difference(first, second)

    @property
    def smallest(self) -> float:
        """The difference between two rows that these queries show four times in five, by the board's critical value."""
        return smallest_difference(self.deviation, self.queries, self.family.pairwise_alpha())

    @property
    def smallest_alone(self) -> float:
        """The same for a single planned comparison of two rows."""
        return smallest_difference(self.deviation, self.queries)

    @property
    def corrected(self) -> str:
        """For how many contrasts intervals and verdicts are corrected, in words; empty for one row."""
        return corrected(self.family, len(self.rows))

    @property
    def sentence(self) -> str:
        """What the number of queries can show, in words; empty where nothing can be said."""
        if self.deviation <= 0:
            return ""
        n = f"{self.queries:,} {'query' if self.queries == 1 else 'queries'}"
        least, alone = self.smallest, self.smallest_alone
        if not math.isfinite(alone):
            return f"with {n} no difference between two rows can be shown reliably"
        told = f"with {n} and {self.corrected}, "
        if math.isfinite(least):
            told += f"a true difference of {_short(least)} between two rows is seen four times in five"
        else:
            told += "no difference between two rows can be shown reliably"
        if len(self.rows) > 2:
            told += (
                f" (of {_short(alone)} in a single planned comparison: every row that is added widens the intervals)"
            )
        needed = queries_needed(POINT, self.deviation, max(self.family.pairwise_alpha(), ALPHA / self.family.contrasts))
        return told if least <= POINT else f"{told}; one of {POINT:g} would take {needed:,} queries"


def _short(difference: float) -> str:
    return f"{difference:.3f}" if difference >= 0.001 else f"{difference:.1g}"


def corrected(held: Family, rows: int) -> str:
    """The contrasts of a board and their critical value, in words; empty for one row."""
    if rows < 2:
        return ""
    critical = held.largest.critical()
    told = f"{held.contrasts:,} pairs of {rows:,} rows" if rows > 2 else "one pair of rows"
    how = (
        ""
        if held.largest.resampled or held.largest.freedom < 1
        else ", by Student's t and Bonferroni: too many to resample"
    )
    return f"{told} (c = {critical:.2f}{how})" if math.isfinite(critical) else told


def standing(held: Sequence[Scores], seed: int = 0, draws: int = DRAWS) -> Standing:
    """Compares all rows with each other.

    Args:
        held: one per row, best first, all of the same queries.
        seed: of the draws.
        draws: resamples for the critical value, at most.

    Raises:
        ComparisonError: they are not of one collection.
    """
    found = family_of(held, None, seed, draws)
    (means,) = found.strata
    return Standing(tuple(row.row for row in held), tuple(intervals(means, seed)), found, _deviation(found))


def _deviation(found: Family) -> float:
    """The middle standard deviation of a pair's differences; of a thousand pairs where there are more."""
    (means,) = found.strata
    queries, rows = means.shape
    if rows < 2 or queries < 2:
        return 0.0
    first, second = np.triu_indices(rows, 1) if math.comb(rows, 2) <= _PAIRS else _some_pairs(rows)
    return float(statistics.median((means[:, first] - means[:, second]).std(axis=0, ddof=1).tolist()))


def _some_pairs(rows: int) -> tuple[Places, Places]:
    rng = np.random.default_rng(rows)
    first = rng.integers(0, rows, _PAIRS)
    return first, (first + rng.integers(1, rows, _PAIRS)) % rows
