"""Every branch of the verdict."""

from __future__ import annotations

import math

import pytest

from harness.claims.claim import Claim
from harness.claims.judge import finding, matters, verdict
from harness.statistics.bootstrap import Interval
from harness.statistics.family import Difference


def claim(expects: str = "better", every: bool = False) -> Claim:
    return Claim(
        id="a",
        paper="p",
        says="s.",
        plus=("bm25",),
        minus=("dense",),
        differs="d.",
        expects=expects,  # type: ignore[arg-type]
        every=every,
        least=0.01,
    )


def between(low: float, high: float) -> Difference:
    return Difference((low + high) / 2, Interval(low, high), 0.5, 0.1)


@pytest.mark.parametrize(
    ("expects", "low", "high", "found"),
    [
        ("better", 0.001, 0.1, "reproduced"),
        ("better", -0.001, 0.1, "too small to tell"),
        ("better", 0.0, 0.1, "too small to tell"),
        ("better", -0.1, -0.001, "opposite"),
        ("not worse", -0.009, 0.1, "reproduced"),
        ("not worse", -0.009, -0.001, "reproduced"),
        ("not worse", -0.01, 0.1, "too small to tell"),
        ("not worse", -0.1, -0.001, "opposite"),
        ("better", -math.inf, math.inf, "too small to tell"),
    ],
)
def test_what_an_interval_says(expects: str, low: float, high: float, found: str) -> None:
    assert finding(claim(expects), between(low, high)) == found


def test_a_claim_about_every_collection_fails_with_one(
) -> None:
    good, bad, open_ = between(0.0, 0.1), between(-0.2, -0.1), between(-0.1, 0.1)
    every = claim("not worse", every=True)
    assert verdict(every, good, [good, good]) == "reproduced"
    assert verdict(every, good, [good, open_]) == "too small to tell"
    assert verdict(every, good, [good, open_, bad]) == "opposite"
    assert verdict(claim("not worse"), good, [good, bad]) == "reproduced"
    assert verdict(claim(), None, []) == "not run"


def test_whether_the_effect_matters() -> None:
    assert matters(claim(), between(0.01, 0.1)) == "an effect of 0.01 or more is shown"
    assert matters(claim(), between(-0.1, -0.02)) == "an effect of 0.01 or more is shown"
    assert matters(claim(), between(-0.005, 0.005)) == "an effect of 0.01 or more is ruled out"
    assert matters(claim(), between(0.001, 0.1)) == ""
