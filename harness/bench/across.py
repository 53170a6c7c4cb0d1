"""Where rows stand over several datasets, every dataset counted alike: intervals, groups, and each row against the best."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from harness.bench.evidence import Scores, same_collection
from harness.bench.standing import letters_of
from harness.statistics.bootstrap import Interval, stratified_intervals
from harness.statistics.holm import holm
from harness.statistics.paired import Values, paired
from harness.statistics.power import ALPHA
from harness.statistics.randomisation import small_p_values
from harness.statistics.stratified import weighted

Counts = tuple[int, int, int]
"""Won, tied, lost."""
DECIMALS = 4
"""Of a figure as the boards show it: a dataset is tied where the figures shown are equal."""


@dataclass(frozen=True)
class Against:
    """A row held against the first.

    Args:
        difference: mean over datasets of the mean difference over queries, the row less the first.
        interval: of it, at 95 %.
        datasets: won, tied, lost by the row.
        queries: the same of all datasets' queries.
        p: after Holm over all pairs of rows.
    """

    difference: float
    interval: Interval
    datasets: Counts
    queries: Counts
    p: float


@dataclass(frozen=True)
class Overall:
    """What can be said of a row over all datasets.

    Args:
        interval: of the mean of its means, at 95 %.
        letters: rows that share one cannot be told apart.
        against: the first row; None for that row itself.
    """

    interval: Interval
    letters: str
    against: Against | None


def overall(held: Sequence[Sequence[Scores]], seed: int = 0) -> list[Overall]:
    """Compares all rows with each other over all datasets, Holm's correction over all pairs; several seeds count by their mean.

    Args:
        held: for each row, best first, its scores on each dataset; the datasets in one order.
        seed: of the draws.

    Raises:
        ComparisonError: on some dataset they are not of one collection, or not of the same queries.
    """
    for here in zip(*held, strict=True):
        same_collection(record for row in here for record in row.records)
    queries = [_by_queries(row, held[0]) for row in held]
    means = [np.stack([row.values.mean(1) for row in here], axis=1) for here in zip(*held, strict=True)]
    pairs = list(itertools.combinations(range(len(held)), 2))
    adjusted = dict(zip(pairs, _adjusted(means, pairs, seed), strict=True))
    letters = letters_of(len(held), {pair for pair, p in adjusted.items() if p <= ALPHA})
    # One call for the rows and their differences from the first: the same draws of queries for all.
    ranges = stratified_intervals([np.hstack([each, each[:, 1:] - each[:, :1]]) for each in means], seed)
    differences = [float(np.mean([(each[:, i] - each[:, 0]).mean() for each in means])) for i in range(len(held))]
    against = [
        Against(differences[i], ranges[len(held) + i - 1], _by_datasets(held[i], held[0]), queries[i], adjusted[0, i])
        for i in range(1, len(held))
    ]
    return [Overall(*each) for each in zip(ranges[: len(held)], letters, [None, *against], strict=True)]


def _adjusted(means: Sequence[Values], pairs: Sequence[tuple[int, int]], seed: int) -> list[float]:
    if not pairs:
        return []
    first, second = ([pair[side] for pair in pairs] for side in (0, 1))
    return holm(small_p_values(weighted([each[:, first] - each[:, second] for each in means]), ALPHA, seed))


def _by_queries(row: Sequence[Scores], first: Sequence[Scores]) -> Counts:
    each = [paired(a.by_query, b.by_query, (a.row, b.row)).wins_ties_losses for a, b in zip(row, first, strict=True)]
    won, tied, lost = (sum(counts) for counts in zip(*each, strict=True))
    return won, tied, lost


def _by_datasets(row: Sequence[Scores], first: Sequence[Scores]) -> Counts:
    gaps = [_figure(a) - _figure(b) for a, b in zip(row, first, strict=True)]
    return sum(gap > 0 for gap in gaps), sum(gap == 0 for gap in gaps), sum(gap < 0 for gap in gaps)


def _figure(scores: Scores) -> float:
    """The mean as it is shown, which is the records' and not that of the rounded per-query values."""
    return round(sum(record.measures[scores.measure] for record in scores.records) / len(scores.records), DECIMALS)
