"""All rows of a board compared with each other: intervals, differences from the best, ranks, detectable differences."""

from __future__ import annotations

import functools
import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from harness.compare.evidence import Scores, family_of
from harness.compare.groups import by_seed, groups_of_rows, units_of_means
from harness.statistics import ppi
from harness.statistics.bootstrap import Interval, intervals
from harness.statistics.family import Difference, Family, Flags
from harness.statistics.largest import DRAWS, Places
from harness.statistics.power import ALPHA, queries_needed, smallest_difference
from harness.statistics.ranks import letters, ranks

POINT = 0.01
MOST_LETTERS = 100
"""Rows up to which groups of tied rows are determined: there may be too many groups to be of use."""
_PAIRS = 1000


@dataclass(frozen=True)
class Position:
    """A row among the rows of a board.

    Args:
        place: in the order of means, 0 the best.
        interval: 95 % confidence interval of its mean over queries.
        ranks: the first and the last rank that it may have.
        behind: the row minus the best, with its simultaneous 95 % interval; None for the best itself.
        of: how many rows the board has.
    """

    place: int
    interval: Interval
    ranks: tuple[int, int]
    behind: Difference | None
    of: int = 0

    @property
    def tied(self) -> bool:
        """Whether it is tied with the best; not so for the best itself."""
        return self.behind is not None and self.behind.tied


@dataclass(frozen=True, eq=False)
class Comparison:
    """All pairs of rows, by their scores on one dataset or by their means over several.

    Args:
        rows: names, best first.
        intervals: 95 % confidence interval of each row's mean over queries.
        family: all pairs of rows. Every verdict on two rows of a board comes from it.
        deviation: the median over pairs of the standard deviation of per-query differences; 0 for one row.
        people: queries with people's labels, if they correct those of machines; else 0.
        grouped: queries that share documents are compared as groups: how many queries there are; else 0.
    """

    rows: tuple[str, ...]
    intervals: tuple[Interval, ...]
    family: Family
    deviation: float = 0.0
    people: int = 0
    grouped: int = 0

    @property
    def queries(self) -> int:
        """How many."""
        return self.grouped or self.family.queries

    @functools.cached_property
    def behind(self) -> tuple[Difference, ...]:
        """Each row minus the first, with simultaneous 95 % intervals."""
        places = np.arange(len(self.rows))
        return tuple(self.family.differences(places, np.zeros_like(places)))

    @functools.cached_property
    def better(self) -> Flags:
        """(rows, rows) whether the first row of a pair is significantly better than the second."""
        return self.family.better()

    @functools.cached_property
    def ranks(self) -> tuple[tuple[int, int], ...]:
        """The first and the last rank that each row may have."""
        first, last = ranks(self.better)
        return tuple(zip(first.tolist(), last.tolist(), strict=True))

    @functools.cached_property
    def letters(self) -> tuple[tuple[str, ...], ...]:
        """The groups of tied rows that each row is in, as letters for readers; none if there are too many rows."""
        return tuple(letters(self.better)) if len(self.rows) <= MOST_LETTERS else ((),) * len(self.rows)

    @property
    def positions(self) -> tuple[Position, ...]:
        """Of each row."""
        behind = (None, *self.behind[1:])
        count = len(self.rows)
        return tuple(map(Position, range(count), self.intervals, self.ranks, behind, [count] * count))

    def difference(self, first: int, second: int) -> Difference:
        """One row minus another, with its simultaneous 95 % interval."""
        return self.family.difference(first, second)

    @property
    def smallest(self) -> float:
        """The difference between two rows detected with 80 % power, by the board's critical value; a judge's errors
        are those of the median pair.
        """
        sizes = [own[np.triu_indices(len(own), 1)] for own in self.family.judge if own is not None]
        size = float(np.median(np.concatenate(sizes))) if self.family.widened else 0.0
        return smallest_difference(self.deviation, self.queries, self.family.pairwise_alpha(), size=size)

    @property
    def smallest_planned(self) -> float:
        """The same for a single planned comparison of two rows."""
        return smallest_difference(self.deviation, self.queries)

    @property
    def corrected(self) -> str:
        """For how many pairs intervals and verdicts are corrected, in words; empty for one row."""
        return corrected(self.family, len(self.rows))

    @property
    def _among(self) -> str:
        return f" between any two of {len(self.rows):,} rows" if len(self.rows) > 2 else ""

    @property
    def power(self) -> str:
        """The smallest difference that these queries detect, in words; empty if nothing can be said."""
        if self.deviation <= 0:
            return ""
        n = f"{self.queries:,} {'query' if self.queries == 1 else 'queries'}"
        if self.people:
            n = f"{n}, {self.people:,} of them judged by people,"
        if self.grouped:
            n = f"{n} in {self.family.queries:,} groups"
        least, planned = self.smallest, self.smallest_planned
        if not math.isfinite(planned):
            return f"{n} cannot reliably detect any difference between two rows"
        if math.isfinite(least):
            sentence = f"{n} detect a difference of {_short(least)} with 80 % power{self._among}"
        else:
            sentence = f"{n} cannot reliably detect any difference{self._among}"
        if self.family.widened:
            return f"{sentence}; more queries reduce it little, since the judge errs; people's judgements do"
        if len(self.rows) > 2:
            sentence += f", or {_short(planned)} in a single planned comparison"
        if least <= POINT or self.people:
            return sentence
        needed = queries_needed(POINT, self.deviation, max(self.family.pairwise_alpha(), ALPHA / self.family.contrasts))
        return f"{sentence}; {needed:,} queries would detect {POINT:g}"


def _short(difference: float) -> str:
    return f"{difference:.3f}" if difference >= 0.001 else f"{difference:.1g}"


def corrected(family: Family, rows: int) -> str:
    """The contrasts of a board and their critical value, in words; empty for one row."""
    if rows < 2:
        return ""
    pairs = f"{family.contrasts:,} pairs of {rows:,} rows" if rows > 2 else "one pair of rows"
    critical = family.largest.critical()
    if not math.isfinite(critical):
        return pairs
    resampled = family.largest.resampled or family.largest.freedom < 1
    how = "" if resampled else ", by Student's t and Bonferroni: too many to resample"
    return f"{pairs} (c = {critical:.2f}{how})"


def compare(rows: Sequence[Scores], seed: int = 0, draws: int = DRAWS) -> Comparison:
    """Compares all rows with each other.

    Args:
        rows: best first, all of the same queries.
        seed: of the draws.
        draws: resamples for the critical value, at most.

    Raises:
        ComparisonError: they are not of one collection.
    """
    family = family_of(rows, None, seed, draws)
    names = tuple(row.row for row in rows)
    first = rows[0].calibration
    if first is not None and first.corrected:
        return Comparison(names, tuple(ppi.intervals(family.strata)), family, _deviation(family), first.annotated)
    groups, values = groups_of_rows(rows), by_seed(rows)
    means = tuple(intervals(units_of_means(values, groups), seed))
    grouped = 0 if groups is None else len(values)
    return Comparison(names, means, family, _deviation(family) * _inflation(family, grouped), grouped=grouped)


def _inflation(family: Family, grouped: int) -> float:
    """What turns the deviation of a group into that of a query (`harness.compare.groups.deviation`)."""
    return math.sqrt(grouped / family.queries) if grouped else 1.0


def _deviation(family: Family) -> float:
    """The median standard deviation of a pair's differences; of a thousand random pairs if there are more."""
    means = family.strata[0]
    queries, rows = means.shape
    if rows < 2 or queries < 2:
        return 0.0
    first, second = np.triu_indices(rows, 1) if math.comb(rows, 2) <= _PAIRS else _some_pairs(rows)
    if len(family.strata) > 1:  # the one that gives the standard errors of the estimates
        errors = [difference.error for difference in family.differences(first, second)]
        return statistics.median(errors) * math.sqrt(family.queries)
    return float(statistics.median((means[:, first] - means[:, second]).std(axis=0, ddof=1).tolist()))


def _some_pairs(rows: int) -> tuple[Places, Places]:
    rng = np.random.default_rng(rows)
    first = rng.integers(0, rows, _PAIRS)
    return first, (first + rng.integers(1, rows, _PAIRS)) % rows
