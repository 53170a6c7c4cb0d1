"""Student's t, central and noncentral, by `scipy.special`: `scipy.stats` has the same values and takes three times as
long to import.
"""

from __future__ import annotations

from typing import Any

import numpy as np


def upper_tail(t: Any, freedom: Any) -> Any:
    """P(T > t), as `scipy.stats.t.sf`."""
    from scipy import special  # slow to import, and a listing needs none of it

    return special.stdtr(freedom, -np.asarray(t))


def quantile(p: float, freedom: Any) -> float:
    """The t with P(T < t) = p, p above 0, as `scipy.stats.t.ppf`."""
    from scipy import special

    return float(special.stdtrit(freedom, p))


def upper_point(p: Any, freedom: Any) -> Any:
    """The t with P(T > t) = p, as `scipy.stats.t.isf`; infinite for p = 0."""
    from scipy import special

    return np.where(np.asarray(p) > 0, -special.stdtrit(freedom, p), np.inf)[()]


def noncentral_tails(t: float, freedom: int, shift: float) -> tuple[float, float]:
    """P(T < −t) and P(T > t) of the noncentral t, as `scipy.stats.nct.cdf` and `.sf`; not finite if nearly 0."""
    from scipy import special

    return float(special.nctdtr(freedom, shift, -t)), float(special.nctdtr(freedom, -shift, -t))
