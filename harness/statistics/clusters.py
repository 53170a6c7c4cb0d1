"""Queries that are not independent: sums over groups of queries, which take the place of the queries.

Source: Davison and Hinkley (1997), section 3.8, and Cameron, Gelbach and Miller (2008): the groups are resampled,
whole, and a standard error is that of the groups' sums. The sums here are scaled so that their plain mean is the mean
over all queries, so that every method that resamples rows of a table (`bootstrap`, `largest`, `family`) resamples
groups.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from harness.statistics.paired import Values

Groups = npt.NDArray[np.int64]
"""(n,) the number of each query's group, from 0 to G − 1."""

FEWEST = 20
"""Of groups of equal size that would be as informative; with fewer, the spread of the groups' sums says too little
(Cameron, Gelbach and Miller 2008 find the errors of tests with 5 to 30 groups).
"""


def labels(ids: Sequence[str], together: Iterable[Sequence[str]]) -> Groups:
    """The number of each query's group; a query that is in none is a group of its own.

    Args:
        ids: (n,) query ids.
        together: groups of ids; others than `ids` are left out.
    """
    group_of: Mapping[str, int] = {query: number for number, group in enumerate(together) for query in group}
    names: dict[object, int] = {}
    return np.array([names.setdefault(group_of.get(query, query), len(names)) for query in ids], dtype=np.int64)


def effective(groups: Groups) -> float:
    """How many groups of equal size the groups are worth: n² / Σ size² (Kish 1965); n if each query is its own.

    Args:
        groups: (n,) numbers.
    """
    sizes = np.bincount(groups).astype(np.float64)
    return float(sizes.sum() ** 2 / (sizes**2).sum()) if len(groups) else 0.0


def sums(values: Values, groups: Groups) -> Values:
    """(G, columns): the sum of each group's values times G / n, for differences: 0 where two columns are equal.

    Args:
        values: (n, columns), one query per line.
        groups: (n,) numbers.
    """
    size = int(groups.max()) + 1
    scaled: Values = np.zeros((size, values.shape[1]))
    np.add.at(scaled, groups, values)
    scaled *= size / len(groups)
    return scaled


def residuals(values: Values, groups: Groups) -> Values:
    """(G, columns): the mean, plus the sum of each group's deviations from it times G / n, for means: groups of other
    sizes are no spread (the linearised ratio of the sums to the sizes; Davison and Hinkley 1997, section 2.4).

    Arguments are those of `sums`.
    """
    mean = values.mean(0)
    scaled = sums(values - mean, groups)
    scaled += mean
    return scaled
