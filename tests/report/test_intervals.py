"""What the boards say of where a row is."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Callable

import numpy as np

from harness.compare.across_datasets import Against
from harness.compare.evidence import Scores
from harness.compare.ties import Placed, standing
from harness.compare.verdict import spread
from harness.report.intervals import AGAINST, STANDING, against, gap, pairs, placed_cells, rank
from harness.statistics.bootstrap import Interval
from harness.statistics.family import Difference

WORSE = Difference(-0.01234, Interval(-0.02, -0.0041), 0.01, 0.002)
TIED = Difference(-0.01234, Interval(-0.03, 0.0041), 0.25, 0.005)


def test_a_difference_is_shown_with_its_interval_and_the_verdict_that_follows_from_it() -> None:
    assert gap(WORSE) == "−0.0123 [−0.020, −0.004]"
    assert gap(TIED) == "−0.0123 [−0.030, +0.004] tied"
    assert gap(Difference(0.0, Interval(0.0, 0.0), 1.0, 0.0)) == "+0.0000 [+0.000, +0.000] tied"
    assert gap(Difference(0.1, Interval(-math.inf, math.inf), 1.0, 0.1)) == "+0.1000 tied", (
        "too few queries for an interval"
    )
    assert gap(None) == "–"


def test_a_bound_that_excludes_zero_is_not_shown_as_zero() -> None:
    assert gap(Difference(0.02, Interval(0.00004, 0.04), 0.0499, 0.01)) == "+0.0200 [+0.00004, +0.040]"
    assert gap(Difference(-0.02, Interval(-0.04, -0.00049), 0.0499, 0.01)) == "−0.0200 [−0.040, −0.0005]"
    assert gap(Difference(0.02, Interval(-0.00004, 0.04), 0.06, 0.01)) == "+0.0200 [+0.000, +0.040] tied"
    assert gap(Difference(0.02, Interval(1e-17, 0.04), 0.05, 0.01)) == "+0.0200 [+1e-17, +0.040]"
    assert spread(Interval(0.00004, 0.04)) == " [+0.00004, +0.0400]"
    assert spread(Interval(-0.00004, 0.04)) == " [+0.0000, +0.0400]"


def test_a_row_has_a_cell_for_each_head() -> None:
    best, other = Placed(0, Interval(0.4, 0.6), (1, 4), None), Placed(1, Interval(0.4, 0.5), (2, 2), WORSE)
    assert placed_cells(best) == ("0.400 – 0.600", "best", "1–4")
    assert placed_cells(other) == ("0.400 – 0.500", "−0.0123 [−0.020, −0.004]", "2")
    assert placed_cells(None) == ("–",) * len(STANDING)
    assert rank(None) == "–"


def test_a_row_against_the_first_is_shown_with_signs_and_counts() -> None:
    assert against(Against(TIED, (1, 0, 2), (1000, 5, 20))) == (
        "−0.0123 [−0.030, +0.004] tied",
        "1/0/2",
        "1000/5/20",
        "0.2500",
    )
    assert against(None) == ("–",) * len(AGAINST)


def test_the_pairs_of_a_page_are_those_of_the_board_however_many_groups_there_are(
    scored: Callable[..., Scores],
) -> None:
    rng = np.random.default_rng(1)
    base = rng.uniform(0.2, 0.8, 200)
    columns = [base - 0.02 * i + rng.normal(0, 0.06, 200) for i in range(45)]
    stands = standing([scored(f"r{i:02}", {f"q{n}": float(v) for n, v in enumerate(c)}) for i, c in enumerate(columns)])
    told = json.loads(json.dumps(pairs(stands)))
    assert told["corrected"] == stands.corrected
    assert len({letter for letters in stands.letters for letter in letters}) > 26
    for one, other in itertools.permutations(range(45), 2):
        runs = told["better"][one]
        within = any(start <= other < end for start, end in zip(runs[::2], runs[1::2], strict=True))
        assert within is bool(stands.better[one, other])
    assert pairs(None) is None
