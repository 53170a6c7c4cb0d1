"""Reciprocal rank fusion: the sum of 1/(k + rank) over the rankings of a document; scores are not used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from harness.choices.bounds import WholeNumber
from harness.data.ranking import Floats, Ints
from harness.fusions import Fusion


@dataclass(frozen=True)
class RRF(Fusion):
    """Reciprocal rank fusion.

    Source: Cormack, Clarke and Büttcher, "Reciprocal Rank Fusion outperforms Condorcet and individual Rank Learning
    Methods" (SIGIR 2009), section 2: score(d) = Σ 1/(k + rank(d)), ranks from 1.

    Args:
        k: how slowly the credit falls with the rank; the paper's 60.
    """

    k: WholeNumber = 60

    def scores(self, rankings: Sequence[tuple[Ints, Floats]], candidates: Ints) -> Floats:
        """See `Fusion.scores`."""
        total = np.zeros(len(candidates), dtype=np.float64)
        for indices, _ in rankings:
            total[np.searchsorted(candidates, indices)] += 1.0 / (self.k + 1 + np.arange(len(indices)))
        return total.astype(np.float32)
