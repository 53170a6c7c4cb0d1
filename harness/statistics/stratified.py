"""Several datasets at once: queries are paired within each, and every dataset counts alike, whatever its number of queries."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from harness.statistics.paired import ROUNDING, Values


def weighted(strata: Sequence[Values]) -> Values:
    """All differences in one table whose mean over the N queries is the mean over the D datasets of each one's mean difference.

    If two systems are alike, each query's difference is as likely to bear the other sign, on every dataset; that makes the sign
    flips of `harness.statistics.randomisation` exact whatever the statistic (Lehmann and Romano 2005, theorem 15.2.1), so also
    where queries weigh differently. Those of a dataset of n queries are multiplied by N / (D n); what is rounding is 0.

    Args:
        strata: (n, contrasts) for each dataset, at least one query in each.
    """
    queries = sum(len(differences) for differences in strata)
    return np.concatenate([np.where(np.abs(d) > ROUNDING, d, 0.0) * (queries / (len(strata) * len(d))) for d in strata])
