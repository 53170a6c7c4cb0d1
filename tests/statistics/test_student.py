"""Student's t: the same values as `scipy.stats`, bit by bit."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from scipy import stats

from harness.statistics.student import noncentral_tails, quantile, upper_point, upper_tail

RNG = np.random.default_rng(0)
FREEDOM = np.concatenate([RNG.uniform(0.5, 2000, 2000), [1, 2, 29, 1e12]])


def test_tails_are_those_of_scipy() -> None:
    t = np.concatenate([RNG.normal(0, 30, 2000), [0, np.inf, -np.inf, 1e300]])
    assert np.array_equal(upper_tail(t, FREEDOM), stats.t.sf(t, FREEDOM))
    assert upper_tail(2.0, 7) == stats.t.sf(2.0, 7)


def test_points_are_those_of_scipy() -> None:
    p = np.concatenate([RNG.uniform(0, 1, 2000) ** 8, [0, 0.5, 0.025, 1e-300]])
    assert np.array_equal(upper_point(p, FREEDOM), stats.t.isf(p, FREEDOM))
    assert upper_point(0.0, 7) == np.inf
    assert [quantile(each, 299) for each in (0.975, 0.5, 0.01)] == stats.t.ppf([0.975, 0.5, 0.01], 299).tolist()


@pytest.mark.parametrize("shift", [0.0, 0.7, 3.0, 12.0, 29.0])
@pytest.mark.parametrize("freedom", [1, 9, 299, 6979])
def test_noncentral_tails_are_those_of_scipy(shift: float, freedom: int) -> None:
    below, above = noncentral_tails(2.5, freedom, shift)
    assert above == stats.nct.sf(2.5, freedom, shift)
    assert np.array_equal(below, stats.nct.cdf(-2.5, freedom, shift), equal_nan=True)


def test_a_comparison_does_not_import_scipy_stats() -> None:
    code = (
        "import sys, numpy as np\n"
        "from harness.statistics.family import family\n"
        "from harness.statistics.power import *\n"
        "f = family([np.random.default_rng(0).uniform(0, 1, (30, 3))]); f.better(); f.difference(0, 1)\n"
        "smallest_difference(0.1, 30); queries_needed(0.05, 0.1); f.pairwise_alpha()\n"
        "assert 'scipy.special' in sys.modules and 'scipy.stats' not in sys.modules, 'scipy.stats is imported'"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
