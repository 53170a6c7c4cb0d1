"""Which rows are better than which, as scripts read it."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable

import numpy as np

from harness.compare.comparison import compare
from harness.compare.evidence import Scores
from harness.report.page_pairs import pairs


def test_the_pairs_of_a_page_are_those_of_the_board_however_many_groups_there_are(
    scored: Callable[..., Scores],
) -> None:
    rng = np.random.default_rng(1)
    base = rng.uniform(0.2, 0.8, 200)
    columns = [base - 0.02 * i + rng.normal(0, 0.06, 200) for i in range(45)]
    comparison = compare(
        [scored(f"r{i:02}", {f"q{n}": float(v) for n, v in enumerate(c)}) for i, c in enumerate(columns)]
    )
    shown = json.loads(json.dumps(pairs(comparison)))
    assert shown["corrected"] == comparison.corrected
    assert len({letter for letters in comparison.letters for letter in letters}) > 26
    for one, other in itertools.permutations(range(45), 2):
        runs = shown["better"][one]
        within = any(start <= other < end for start, end in zip(runs[::2], runs[1::2], strict=True))
        assert within is bool(comparison.better[one, other])
    assert pairs(None) is None
