"""Several datasets at once: queries are paired within each, and every dataset counts alike, whatever its number of queries."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from harness.statistics.paired import ROUNDING, Values
from harness.statistics.randomisation import DRAWS, Randomised, many_sign_flips


def weighted(strata: Sequence[Values]) -> Values:
    """All differences in one table whose mean over the N queries is the mean over the D datasets of each one's mean difference.

    Those of a dataset of n queries are multiplied by N / (D n); differences that are rounding are 0.

    Args:
        strata: (n, contrasts) for each dataset, at least one query in each.
    """
    queries = sum(len(differences) for differences in strata)
    return np.concatenate([np.where(np.abs(d) > ROUNDING, d, 0.0) * (queries / (len(strata) * len(d))) for d in strata])


def stratified_sign_flips(strata: Sequence[Values], seed: int = 0, draws: int = DRAWS) -> list[Randomised]:
    """Two-sided randomisation test that the mean over datasets of the mean paired difference is 0, for each contrast.

    If two systems are alike, each query's difference is as likely to bear the other sign, on every dataset; that makes the test
    exact whatever the statistic (Lehmann and Romano 2005, theorem 15.2.1), so also where queries weigh differently.

    Args:
        strata: (n, contrasts) for each dataset.
        seed: gives the same p-values again.
        draws: see `harness.statistics.randomisation.sign_flips`.
    """
    return many_sign_flips(weighted(strata), seed, draws)
