"""Rows compared over several datasets, which count equally: intervals, ranks, and each row against the best."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.compare.calibration import judge_sizes
from harness.compare.comparison import Comparison
from harness.compare.evidence import Scores, same_collection
from harness.compare.groups import by_seed, groups_of_rows, units, units_of_means
from harness.statistics.bootstrap import Interval, stratified_intervals
from harness.statistics.family import Difference, family
from harness.statistics.largest import DRAWS
from harness.statistics.paired import Paired, paired

Counts = tuple[int, int, int]
"""Won, tied, lost."""
DECIMALS = 4
"""Of a score as the boards show it: a dataset is tied if the shown scores are equal."""


@dataclass(frozen=True)
class Against:
    """A row compared with the first.

    Args:
        difference: the row minus the first, of means over datasets of means over queries, with its simultaneous 95 %
            interval.
        datasets: won, tied, lost by the row.
        queries: the same of all datasets' queries.
    """

    difference: Difference
    datasets: Counts
    queries: Counts


@dataclass(frozen=True)
class Overall:
    """A row compared with the others over all datasets.

    Args:
        interval: 95 % confidence interval of the mean of its means.
        ranks: the first and the last rank that it may have.
        against: the comparison with the first row; None for that row itself.
        of: how many rows are compared.
    """

    interval: Interval
    ranks: tuple[int, int]
    against: Against | None
    of: int = 0

    @property
    def tied(self) -> bool:
        """Whether it is tied with the first row; not so for that row itself."""
        return self.against is not None and self.against.difference.tied


def compare_across(
    rows: Sequence[Sequence[Scores]], seed: int = 0, draws: int = DRAWS
) -> tuple[Comparison, list[Overall]]:
    """Compares all rows with each other over all datasets, as one family; several seeds count by their mean.

    Args:
        rows: for each row, best first, its scores on each dataset; the datasets in the same order.
        seed: of the draws.
        draws: resamples for the critical value, at most.

    Raises:
        ComparisonError: on some dataset they are not of one collection, or not of the same queries.
    """
    datasets = list(zip(*rows, strict=True))
    for columns in datasets:
        same_collection(record for scores in columns for record in scores.records)
    queries = [_by_queries(row, rows[0]) for row in rows]
    means = [(by_seed(columns), groups_of_rows(columns)) for columns in datasets]
    ranges = tuple(stratified_intervals([units_of_means(*each) for each in means], seed))
    names = tuple(row[0].row for row in rows)
    judge = [judge_sizes([scores.calibration for scores in columns]) for columns in datasets]
    tested = family([units(*each) for each in means], seed=seed, draws=draws, judge=judge)
    grouped = any(groups is not None for _, groups in means)
    comparison = Comparison(names, ranges, tested, grouped=sum(len(v) for v, _ in means) if grouped else 0)
    against: list[Against | None] = [None]
    for row, behind, counts in list(zip(rows, comparison.behind, queries, strict=True))[1:]:
        against.append(Against(behind, _by_datasets(row, rows[0]), counts))
    return comparison, list(map(Overall, ranges, comparison.ranks, against, [len(rows)] * len(rows)))


def _by_queries(row: Sequence[Scores], first: Sequence[Scores]) -> Counts:
    each = [_pair(a, b).wins_ties_losses for a, b in zip(row, first, strict=True)]
    won, tied, lost = (sum(counts) for counts in zip(*each, strict=True))
    return won, tied, lost


def _pair(one: Scores, other: Scores) -> Paired:
    if one.ids == other.ids:
        return Paired(one.ids, one.values.mean(1), other.values.mean(1))
    return paired(one.by_query, other.by_query, (one.row, other.row))


def _by_datasets(row: Sequence[Scores], first: Sequence[Scores]) -> Counts:
    gaps = [_shown(a) - _shown(b) for a, b in zip(row, first, strict=True)]
    return sum(gap > 0 for gap in gaps), sum(gap == 0 for gap in gaps), sum(gap < 0 for gap in gaps)


def _shown(scores: Scores) -> float:
    """The mean as it is shown: that of the records, not of the rounded per-query values."""
    return round(scores.mean, DECIMALS)
