"""The vectors that may be among the k best, told by scores that are off by a known bound; kept while blocks of scores
come in.

`slack` is twice the bound: a vector whose score is more than that below the k-th best score so far has k truly better
ones. What is left at the end is few, and is scored exactly.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from harness.data.ranking import Floats, Ints

ROOM = 256
"""Places beside k for what comes in between two cuts, of each query."""
BYTES_OF_A_PLACE = 12


def width(k: int) -> int:
    """Places that a query takes in `Nearby`."""
    return 2 * k + ROOM


class Nearby:
    """The vectors that may be among the k best of each of Q queries, in memory that depends on Q and k alone.

    Args:
        queries: Q.
        k: how many are wanted, 1 or more.
        best: query, rows → the true k best of these rows. Asked where more than fit are within the slack of each other,
            as with many equal vectors.
    """

    def __init__(self, queries: int, k: int, best: Callable[[int, Ints], Ints]) -> None:
        self._k, self._best, self._width = k, best, width(k)
        self._rows: Ints = np.zeros((queries, self._width), np.int64)
        self._scores: Floats = np.full((queries, self._width), -np.inf, np.float32)
        self._count = np.zeros(queries, np.int64)
        self._kth = np.full(queries, -np.inf)  # a score that k vectors reach, in double precision
        self._slack = np.zeros(queries)

    def add(self, rows: Ints, scores: Floats, slack: npt.NDArray[np.float64]) -> None:
        """Takes in a block.

        Args:
            rows: (n,) of its vectors.
            scores: (n, Q) of its vectors.
            slack: (Q,) of all vectors so far; never less than before.
        """
        self._slack = slack
        if len(scores) >= self._k and not np.isfinite(self._kth).all():
            self._raise(_kth(scores.T, self._k))
        places, queries = np.divmod(np.flatnonzero(scores >= self._floor()), len(slack))
        # Numbers of 16 bits are sorted by counting.
        order = np.argsort(queries.astype(np.uint16) if len(slack) <= 1 << 16 else queries, kind="stable")
        self._enter(queries[order], rows[places[order]], scores[places[order], queries[order]])

    def rows(self, query: int) -> Ints:
        """The rows that may be among a query's k best."""
        count = self._count[query]
        rows: Ints = self._rows[query, :count][self._scores[query, :count] >= self._floor()[query]]
        return rows

    def close(self) -> None:
        """Leaves out what the last blocks have shown to be too far; call it before `rows`."""
        self._raise(_kth(self._scores, self._k))

    def _floor(self) -> Floats:
        """(Q,) scores below which nothing can be among the k best; rounded down, since a block's scores are float32."""
        floor = (self._kth - self._slack).astype(np.float32)
        return np.nextafter(floor, np.float32(-np.inf))

    def _raise(self, kth: npt.NDArray[np.floating]) -> None:
        self._kth = np.maximum(self._kth, kth)

    def _enter(self, queries: Ints, rows: Ints, scores: Floats) -> None:
        """Adds what came in: (m,) queries in ascending order, rows and scores."""
        if self._overfull(queries).any():
            self._cut(np.flatnonzero(self._overfull(queries)))
            stay = scores >= self._floor()[queries]
            queries, rows, scores = queries[stay], rows[stay], scores[stay]
        for query in np.flatnonzero(self._overfull(queries)).tolist():
            mine = queries == query
            self._settle(query, rows[mine], scores[mine])
            queries, rows, scores = queries[~mine], rows[~mine], scores[~mine]
        counts = np.bincount(queries, minlength=len(self._count))
        place = self._count[queries] + _ranks(counts)
        self._rows[queries, place], self._scores[queries, place] = rows, scores
        self._count += counts

    def _overfull(self, queries: Ints) -> npt.NDArray[np.bool_]:
        return self._count + np.bincount(queries, minlength=len(self._count)) > self._width

    def _cut(self, which: Ints) -> None:
        """Drops of some queries what is too far from the k-th best of what they have."""
        scores, rows = self._scores[which], self._rows[which]
        self._kth[which] = np.maximum(self._kth[which], _kth(scores, self._k))
        near = (scores >= self._floor()[which, None]) & (np.arange(self._width) < self._count[which, None])
        counts = near.sum(axis=1)
        query, place = np.nonzero(near)
        left = np.full_like(scores, -np.inf)
        left[query, _ranks(counts)] = scores[query, place]
        rows[query, _ranks(counts)] = rows[query, place]
        self._scores[which], self._rows[which], self._count[which] = left, rows, counts

    def _settle(self, query: int, rows: Ints, scores: Floats) -> None:
        """Leaves a query the true k best of what it has and what came in: nothing else of these can be among its k
        best.
        """
        count = self._count[query]
        rows = np.concatenate([self._rows[query, :count], rows])
        scores = np.concatenate([self._scores[query, :count], scores])
        order = np.argsort(rows, kind="stable")
        rows, scores = rows[order], scores[order]
        best = np.sort(self._best(query, rows))
        self._scores[query] = -np.inf
        self._rows[query, : len(best)] = best
        self._scores[query, : len(best)] = scores[np.searchsorted(rows, best)]
        self._count[query] = len(best)


class Near:
    """The vectors that may be among the k best of one query: none that scores more than `slack` below the k-th so
    far.
    """

    def __init__(self, k: int, slack: float) -> None:
        self.rows: Ints = np.zeros(0, np.int64)
        self._scores: Floats = np.zeros(0, np.float32)
        self._k, self._slack, self._floor = k, slack, -np.inf

    def add(self, rows: Ints, scores: Floats) -> None:
        """Takes in a block, (n,) rows and their scores."""
        enter = scores >= self._floor
        if not enter.any():
            return
        rows, scores = np.concatenate([self.rows, rows[enter]]), np.concatenate([self._scores, scores[enter]])
        if len(scores) > self._k:
            place = len(scores) - self._k
            self._floor = float(np.partition(scores, place)[place]) - self._slack
            stay = scores >= self._floor
            rows, scores = rows[stay], scores[stay]
        self.rows, self._scores = rows, scores


def _kth(scores: Floats, k: int) -> Floats:
    """(Q,) the k-th best of each row of (Q, n), k ≤ n."""
    place = scores.shape[1] - k
    return np.partition(scores, place, axis=1)[:, place]


def _ranks(counts: npt.NDArray[np.int64]) -> Ints:
    """0 … c − 1 for each of the counts c, end to end."""
    return np.arange(int(counts.sum())) - np.repeat(np.cumsum(counts) - counts, counts)
