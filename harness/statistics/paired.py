"""Two systems on the same queries: the differences, and what describes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from harness.base.errors import ComparisonError

Values = npt.NDArray[np.float64]

ROUNDING = 1e-9
"""Differences smaller than this are rounding, and count as none."""


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
        """(n,) first less second."""
        return self.first - self.second

    @property
    def mean(self) -> float:
        """Mean difference."""
        return float(self.differences.mean())

    @property
    def differing(self) -> int:
        """On how many queries they differ."""
        return int((np.abs(self.differences) > ROUNDING).sum())

    @property
    def deviation(self) -> float:
        """Standard deviation of the differences; 0 for a single query."""
        return float(self.differences.std(ddof=1)) if len(self.ids) > 1 else 0.0

    @property
    def effect(self) -> float:
        """Mean difference in standard deviations of the differences: Cohen's d of paired samples (Cohen 1988, section
        2.3.5).

        0 where all differences are 0; infinite where they are all alike and not 0.
        """
        if abs(self.mean) <= ROUNDING:
            return 0.0
        spread = self.deviation
        return self.mean / spread if spread > ROUNDING else float(np.copysign(np.inf, self.mean))

    @property
    def wins_ties_losses(self) -> tuple[int, int, int]:
        """On how many queries the first is better, equal, worse."""
        d = self.differences
        wins, losses = int((d > ROUNDING).sum()), int((d < -ROUNDING).sum())
        return wins, len(d) - wins - losses, losses


def paired(
    first: Mapping[str, float], second: Mapping[str, float], names: tuple[str, str] = ("one", "the other")
) -> Paired:
    """Pairs two systems by query id.

    Raises:
        ComparisonError: no queries, or they are not the same queries; names some that only one has.
    """
    if first.keys() != second.keys():
        told = []
        for name, here, there in ((names[0], first, second), (names[1], second, first)):
            alone = sorted(here.keys() - there.keys())
            if alone:
                told.append(f"{len(alone)} only of {name} (as {', '.join(alone[:3])})")
        raise ComparisonError(
            f"{names[0]} and {names[1]} are not of the same queries: {' and '.join(told)}. Run both on one split."
        )
    if not first:
        raise ComparisonError(f"{names[0]} and {names[1]} have no queries in common: there is nothing to compare.")
    ids = tuple(sorted(first))
    return Paired(ids, np.array([first[i] for i in ids], np.float64), np.array([second[i] for i in ids], np.float64))
