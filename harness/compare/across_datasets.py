"""Where rows stand over several datasets, every dataset counted alike: intervals, ranks, and each row against the
best.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from harness.compare.evidence import Scores, same_collection
from harness.compare.ties import Standing
from harness.statistics.bootstrap import Interval, stratified_intervals
from harness.statistics.family import Difference, family
from harness.statistics.largest import DRAWS
from harness.statistics.paired import paired

Counts = tuple[int, int, int]
"""Won, tied, lost."""
DECIMALS = 4
"""Of a figure as the boards show it: a dataset is tied where the figures shown are equal."""


@dataclass(frozen=True)
class Against:
    """A row held against the first.

    Args:
        difference: the row less the first, of means over datasets of means over queries, with its simultaneous 95 %
            interval.
        datasets: won, tied, lost by the row.
        queries: the same of all datasets' queries.
    """

    difference: Difference
    datasets: Counts
    queries: Counts


@dataclass(frozen=True)
class Overall:
    """What can be said of a row over all datasets.

    Args:
        interval: of the mean of its means, at 95 %.
        ranks: the first and the last rank that it may have.
        letters: of its groups of tied rows, to be read.
        against: the first row; None for that row itself.
    """

    interval: Interval
    ranks: tuple[int, int]
    letters: tuple[str, ...]
    against: Against | None


def overall(held: Sequence[Sequence[Scores]], seed: int = 0, draws: int = DRAWS) -> tuple[Standing, list[Overall]]:
    """Compares all rows with each other over all datasets, as one family; several seeds count by their mean.

    Args:
        held: for each row, best first, its scores on each dataset; the datasets in one order.
        seed: of the draws.
        draws: resamples for the critical value, at most.

    Raises:
        ComparisonError: on some dataset they are not of one collection, or not of the same queries.
    """
    for here in zip(*held, strict=True):
        same_collection(record for row in here for record in row.records)
    queries = [_by_queries(row, held[0]) for row in held]
    means = [np.stack([row.values.mean(1) for row in here], axis=1) for here in zip(*held, strict=True)]
    ranges = tuple(stratified_intervals(means, seed))
    stands = Standing(tuple(row[0].row for row in held), ranges, family(means, seed=seed, draws=draws))
    against = [
        Against(stands.behind[i], _by_datasets(held[i], held[0]), queries[i]) if i else None for i in range(len(held))
    ]
    return stands, [Overall(*each) for each in zip(ranges, stands.ranks, stands.letters, against, strict=True)]


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
