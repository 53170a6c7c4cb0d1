"""The Pareto front: rows that no other beats in both quality and cost."""

from __future__ import annotations

import itertools
from collections.abc import Sequence


def non_dominated(points: Sequence[tuple[float, float]]) -> list[bool]:
    """Whether no other point costs at most as much and is at least as good, one of both strictly.

    Args:
        points: cost, quality.
    """
    free, best = set(), float("-inf")
    for _, same in itertools.groupby(
        sorted(set(points), key=lambda point: (point[0], -point[1])), key=lambda point: point[0]
    ):
        first = next(same)  # the best of this cost; it is non-dominated if no cheaper point is as good
        if first[1] > best:
            free.add(first)
            best = first[1]
    return [point in free for point in points]
