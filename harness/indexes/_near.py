"""Candidates for the k best, selected from blocks of scores whose error has a known bound.

`slack` is twice the bound: if a vector scores more than `slack` below the k-th best score so far, k vectors are truly
better. The few vectors that remain at the end are scored exactly.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from harness.data.ranking import Floats, Ints

ROOM = 256
"""Places of each query besides 2 · k, for candidates that arrive between two cuts."""
BYTES_OF_A_PLACE = 12


def width(k: int) -> int:
    """Places that a query takes in `Nearby`."""
    return 2 * k + ROOM


class Nearby:
    """The vectors that may be among the k best of each of Q queries, in memory that depends only on Q and k.

    Args:
        queries: Q.
        k: depth, 1 or more.
        best: query, rows → the true k best of these rows. Called if more rows than fit are within the slack of each
            other, as with many equal vectors.
    """

    def __init__(self, queries: int, k: int, best: Callable[[int, Ints], Ints]) -> None:
        self._k, self._best, self._width = k, best, width(k)
        self._rows: Ints = np.zeros((queries, self._width), np.int64)
        self._scores: Floats = np.full((queries, self._width), -np.inf, np.float32)
        self._count = np.zeros(queries, np.int64)
        self._kth = np.full(queries, -np.inf)  # a score that k vectors reach, in double precision
        self._slack = np.zeros(queries)

    def add(self, rows: Ints, scores: Floats, slack: npt.NDArray[np.float64]) -> None:
        """Adds a block.

        Args:
            rows: (n,) of its vectors.
            scores: (n, Q) of its vectors.
            slack: (Q,) for all vectors so far; never less than before.
        """
        self._slack = slack
        if len(scores) >= self._k and not np.isfinite(self._kth).all():
            self._raise(_kth(scores.T, self._k))
        places, queries = np.divmod(np.flatnonzero(scores >= self._floor()), len(slack))
        keys = queries.astype(np.uint16) if len(slack) <= 1 << 16 else queries  # 16 bits are sorted by counting
        order = np.argsort(keys, kind="stable")
        self._enter(queries[order], rows[places[order]], scores[places[order], queries[order]])

    def rows(self, query: int) -> Ints:
        """The rows that may be among a query's k best."""
        count = self._count[query]
        rows: Ints = self._rows[query, :count][self._scores[query, :count] >= self._floor()[query]]
        return rows

    def close(self) -> None:
        """Drops candidates that the last blocks have shown to be too far; to be called before `rows`."""
        self._raise(_kth(self._scores, self._k))

    def _floor(self) -> Floats:
        """(Q,) least scores of candidates, rounded down because the scores of a block are float32."""
        floor = (self._kth - self._slack).astype(np.float32)
        return np.nextafter(floor, np.float32(-np.inf))

    def _raise(self, kth: npt.NDArray[np.floating]) -> None:
        self._kth = np.maximum(self._kth, kth)

    def _enter(self, queries: Ints, rows: Ints, scores: Floats) -> None:
        """Adds candidates: (m,) queries in ascending order, rows and scores. Full queries are cut, then settled."""
        if self._overfull(queries).any():
            self._cut(np.flatnonzero(self._overfull(queries)))
            stay = scores >= self._floor()[queries]
            queries, rows, scores = queries[stay], rows[stay], scores[stay]
        for query in np.flatnonzero(self._overfull(queries)).tolist():
            own = queries == query
            self._settle(query, rows[own], scores[own])
            queries, rows, scores = queries[~own], rows[~own], scores[~own]
        counts = np.bincount(queries, minlength=len(self._count))
        place = self._count[queries] + _ranks(counts)
        self._rows[queries, place], self._scores[queries, place] = rows, scores
        self._count += counts

    def _overfull(self, queries: Ints) -> npt.NDArray[np.bool_]:
        return self._count + np.bincount(queries, minlength=len(self._count)) > self._width

    def _cut(self, which: Ints) -> None:
        """Drops the candidates of some queries that are too far from the k-th best so far."""
        scores, rows = self._scores[which], self._rows[which]
        self._kth[which] = np.maximum(self._kth[which], _kth(scores, self._k))
        near = (scores >= self._floor()[which, None]) & (np.arange(self._width) < self._count[which, None])
        counts = near.sum(axis=1)
        query, place = np.nonzero(near)
        remaining = np.full_like(scores, -np.inf)
        remaining[query, _ranks(counts)] = scores[query, place]
        rows[query, _ranks(counts)] = rows[query, place]
        self._scores[which], self._rows[which], self._count[which] = remaining, rows, counts

    def _settle(self, query: int, rows: Ints, scores: Floats) -> None:
        """Reduces the candidates of a query, old and new, to their true k best; no other can be among its k best."""
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
    """The vectors that may be among the k best of one query: their scores are at most `slack` below the k-th so far."""

    def __init__(self, k: int, slack: float) -> None:
        self.rows: Ints = np.zeros(0, np.int64)
        self._scores: Floats = np.zeros(0, np.float32)
        self._k, self._slack, self._floor = k, slack, -np.inf

    def add(self, rows: Ints, scores: Floats) -> None:
        """Adds a block, (n,) rows and their scores."""
        near = scores >= self._floor
        if not near.any():
            return
        rows, scores = np.concatenate([self.rows, rows[near]]), np.concatenate([self._scores, scores[near]])
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
