"""Fusions: several rankings of the same queries → one, one rule per file.

To add one: a file here with one frozen dataclass that derives from `Fusion`, and `tests/fusions/test_<file>.py`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from harness.choices.room import Room
from harness.choices.value import Value
from harness.data.ranking import Floats, Ints, TopK, select, stack


class Fusion(Value, ABC):
    """Scores every document of the rankings of one query; the documented order then ranks them."""

    room: ClassVar[str] = "harness.fusions"

    @abstractmethod
    def scores(self, rankings: Sequence[tuple[Ints, Floats]], candidates: Ints) -> Floats:
        """The fused scores of one query.

        Args:
            rankings: M rankings, each rows and scores, best first.
            candidates: (C,) sorted rows of at least one ranking.

        Returns:
            (C,) float32, higher is better.
        """

    def candidates_for_dev(self, methods: int) -> Sequence[Fusion]:
        """Settings to choose from on dev queries, in order of preference on a tie; empty if none is to be chosen."""
        return ()

    def fuse(self, tops: Sequence[TopK], id_order: npt.NDArray[np.int32], k: int) -> TopK:
        """Fuses M runs of the same Q queries, (Q, k) out."""
        return stack([self._fused(rankings, id_order, k) for rankings in _by_query(tops)], k)

    def _fused(
        self, rankings: Sequence[tuple[Ints, Floats]], id_order: npt.NDArray[np.int32], k: int
    ) -> tuple[Ints, Floats]:
        candidates = np.unique(np.concatenate([indices for indices, _ in rankings]))
        return select(candidates, self.scores(rankings, candidates), id_order, k)


def _by_query(tops: Sequence[TopK]) -> Iterator[Sequence[tuple[Ints, Floats]]]:
    return zip(*(top.rows() for top in tops), strict=True)


FUSIONS: Room[Fusion] = Room(__name__, Fusion, "fusion")  # type: ignore[type-abstract]
