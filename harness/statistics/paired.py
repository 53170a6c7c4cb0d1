"""Two systems on the same queries: the differences, and what describes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from harness.base.errors import ComparisonError

Values = npt.NDArray[np.float64]

ROUNDING = 1e-9
"""Differences up to this are due to rounding and count as 0."""


@dataclass(frozen=True)
class Paired:
    """Values of two systems, query by query.

    Args:
        ids: (n,) query ids, sorted as text.
        first: (n,) values of one system.
        second: (n,) of the other.
    """

    ids: tuple[str, ...]
    first: Values
    second: Values

    @property
    def differences(self) -> Values:
        """(n,) first minus second."""
        return self.first - self.second

    @property
    def mean(self) -> float:
        """Mean difference."""
        return float(self.differences.mean())

    @property
    def differing(self) -> int:
        """Number of queries on which they differ."""
        return int((np.abs(self.differences) > ROUNDING).sum())

    @property
    def deviation(self) -> float:
        """Standard deviation of the differences; 0 for a single query."""
        return float(self.differences.std(ddof=1)) if len(self.ids) > 1 else 0.0

    @property
    def effect(self) -> float:
        """Mean difference in standard deviations of the differences: Cohen's d of paired samples (Cohen 1988, section
        2.3.5).

        0 if all differences are 0; infinite if they are equal and not 0.
        """
        if abs(self.mean) <= ROUNDING:
            return 0.0
        spread = self.deviation
        return self.mean / spread if spread > ROUNDING else float(np.copysign(np.inf, self.mean))

    @property
    def wins_ties_losses(self) -> tuple[int, int, int]:
        """Numbers of queries on which the first is better, equal, worse."""
        d = self.differences
        wins, losses = int((d > ROUNDING).sum()), int((d < -ROUNDING).sum())
        return wins, len(d) - wins - losses, losses


def paired(
    first: Mapping[str, float], second: Mapping[str, float], names: tuple[str, str] = ("one", "the other")
) -> Paired:
    """Pairs two systems by query id.

    Raises:
        ComparisonError: no queries, or they are not the same queries; names some of one system only.
    """
    if first.keys() != second.keys():
        differing = []
        for name, own, other in ((names[0], first, second), (names[1], second, first)):
            if only := sorted(own.keys() - other.keys()):
                differing.append(f"{len(only)} only of {name} (as {', '.join(only[:3])})")
        raise ComparisonError(
            f"{names[0]} and {names[1]} are not of the same queries: {' and '.join(differing)}. Run both on one split."
        )
    if not first:
        raise ComparisonError(f"{names[0]} and {names[1]} have no queries in common: there is nothing to compare.")
    ids = tuple(sorted(first))
    return Paired(ids, np.array([first[i] for i in ids], np.float64), np.array([second[i] for i in ids], np.float64))
