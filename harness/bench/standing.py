"""Where rows stand on a board: intervals of their means, groups that cannot be told apart, and what the queries can show."""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from harness.bench.evidence import Scores, of_seeds, same_collection
from harness.statistics.bootstrap import Interval, intervals
from harness.statistics.groups import groups
from harness.statistics.holm import holm
from harness.statistics.power import ALPHA, queries_needed, smallest_difference
from harness.statistics.randomisation import small_p_values

POINT = 0.01


@dataclass(frozen=True)
class Standing:
    """What can be said of the rows of one dataset by one measure.

    Args:
        rows: names, best first.
        intervals: of each row's mean over queries, at 95 %.
        letters: of each row; rows that share one cannot be told apart.
        queries: how many.
        deviation: the middle standard deviation of a pair's per-query differences; 0 for one row.
    """

    rows: tuple[str, ...]
    intervals: tuple[Interval, ...]
    letters: tuple[str, ...]
    queries: int
    deviation: float

    @property
    def smallest(self) -> float:
        """The difference between two rows that these queries show four times in five, asked for alone."""
        return smallest_difference(self.deviation, self.queries)

    @property
    def smallest_of_all(self) -> float:
        """The same where all pairs of rows are asked, each at its share of α; Holm's correction shows somewhat smaller ones."""
        return smallest_difference(self.deviation, self.queries, ALPHA / max(1, math.comb(len(self.rows), 2)))

    @property
    def sentence(self) -> str:
        """What the number of queries can show, in words; empty where nothing can be said."""
        if self.deviation <= 0:
            return ""
        n = f"{self.queries:,} {'query' if self.queries == 1 else 'queries'}"
        if not math.isfinite(self.smallest):
            return f"with {n} hardly any difference between two rows can be shown"
        alone = f"a difference of {_short(self.smallest)} between two rows asked for alone"
        told = f"with {n} you can see {alone} (four times in five)"
        if len(self.rows) > 2:
            all_of = self.smallest_of_all
            pairs = f"among all pairs of {len(self.rows)} rows"
            told += f", of {_short(all_of)} {pairs}" if math.isfinite(all_of) else f", hardly any {pairs}"
        if self.smallest <= POINT:
            return told
        return f"{told}; one of {POINT:g}, asked for alone, would take {queries_needed(POINT, self.deviation):,} queries"


def _short(difference: float) -> str:
    return f"{difference:.3f}" if difference >= 0.001 else f"{difference:.1g}"


def standing(held: Sequence[Scores], seed: int = 0) -> Standing:
    """Compares all rows with each other, Holm's correction over all pairs.

    Args:
        held: one per row, best first, all of the same queries.
        seed: of the draws.

    Raises:
        ComparisonError: they are not of one collection.
    """
    same_collection(record for row in held for record in row.records)
    means = np.stack([row.values.mean(1) for row in held], axis=1)
    pairs = list(itertools.combinations(range(len(held)), 2))
    different: set[tuple[int, int]] = set()
    deviation = 0.0
    if pairs:
        differences = np.stack([means[:, a] - means[:, b] for a, b in pairs], axis=1)
        tests = small_p_values(differences, ALPHA, seed)
        others = [of_seeds(held[a], held[b]) for a, b in pairs]
        p_values = [max(test, other.p if other else 0.0) for test, other in zip(tests, others, strict=True)]
        different = {pair for pair, p in zip(pairs, holm(p_values), strict=True) if p <= ALPHA}
        if len(means) > 1:
            deviation = statistics.median(differences.std(axis=0, ddof=1).tolist())
    names = tuple(row.row for row in held)
    return Standing(names, tuple(intervals(means, seed)), letters_of(len(held), different), len(means), deviation)


def letters_of(rows: int, different: set[tuple[int, int]]) -> tuple[str, ...]:
    """The letters of each row, 0 the best, where those pairs are told apart."""
    letters = [""] * rows
    for number, members in enumerate(groups(rows, different)):
        for row in members:
            letters[row] += _letter(number)
    return tuple(letters)


def _letter(number: int) -> str:
    """A … z, then a1 …: for boards of more than 26 groups."""
    turn, place = divmod(number, 26)
    return chr(ord("a") + place) + (str(turn) if turn else "")
