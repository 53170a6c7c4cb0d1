"""What is resampled when rows are compared: queries, or groups of queries that share relevant documents, which are not
independent, on a dataset with folds; and the error that is due to seeds.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

import numpy as np

from harness.bench.record import Record
from harness.statistics import clusters
from harness.statistics.clusters import Groups
from harness.statistics.paired import Values
from harness.statistics.seeds import components


def groups_of(records: Iterable[Record], ids: Sequence[str]) -> Groups | None:
    """(n,) the number of each query's group; None where every query counts by itself: without folds, in records of
    earlier versions, and where a few groups have nearly all queries (`clusters.FEWEST`).

    Args:
        records: of one collection; the groups are the same in all that have them.
        ids: (n,) query ids.
    """
    together = next((groups for record in records if (groups := record.dataset.get("folds", {}).get("together"))), None)
    if not together:
        return None
    labels = clusters.labels(ids, together)
    return labels if clusters.effective(labels) >= clusters.FEWEST else None


class Row(Protocol):
    """A row's per-query scores, as `harness.compare.evidence.Scores`."""

    @property
    def records(self) -> tuple[Record, ...]:
        """One per seed."""
        ...

    @property
    def ids(self) -> tuple[str, ...]:
        """(n,) query ids."""
        ...

    @property
    def values(self) -> Values:
        """(n, seeds)."""
        ...


def groups_of_rows(rows: Sequence[Row]) -> Groups | None:
    """As `groups_of`, of rows of the same queries."""
    return groups_of((record for row in rows for record in row.records), rows[0].ids)


def by_seed(rows: Sequence[Row]) -> Values:
    """(n, rows) the mean over each row's seeds, by query."""
    return np.stack([row.values.mean(1) for row in rows], axis=1)


def seed_error(row: Row) -> tuple[float, int]:
    """The squared standard error of a row's mean that is due to its seeds, and its degrees of freedom."""
    queries, seeds = row.values.shape
    if seeds < 2 or queries < 2:
        return 0.0, 0
    return components(row.values).seed / seeds, seeds - 1


def units(values: Values, groups: Groups | None) -> Values:
    """(units, columns) what is resampled to compare columns: the queries, or sums of groups."""
    return values if groups is None else clusters.sums(values, groups)


def units_of_means(values: Values, groups: Groups | None) -> Values:
    """(units, columns) what is resampled for intervals of the columns' means."""
    return values if groups is None else clusters.residuals(values, groups)


def deviation(values: Values, groups: Groups | None) -> Values:
    """(columns,) the standard deviation of a query's value; with groups, that with which as many independent queries
    would give the standard error of the mean. 0 for one query or group.

    Args:
        values: (n, columns) differences.
        groups: (n,) numbers, if queries are compared as groups.
    """
    rows = units(values, groups)
    if len(rows) < 2:
        return np.zeros(values.shape[1])
    return np.asarray(rows.std(axis=0, ddof=1) * np.sqrt(len(values) / len(rows)))
