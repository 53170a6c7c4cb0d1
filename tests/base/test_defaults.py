"""Checks of shared parameters."""

from __future__ import annotations

import math

import pytest

from harness.base.defaults import MARGIN, MEASURES, SEEDS, check_margin, check_one_measure, check_seeds
from harness.base.errors import SettingError


@pytest.mark.parametrize("margin", [0, 1, -0.01, 2, math.nan, math.inf])
def test_a_margin_is_above_0_and_below_1(margin: float) -> None:
    with pytest.raises(SettingError, match="margin must be above 0 and below 1"):
        check_margin(margin)


def test_seeds_are_1_or_more() -> None:
    with pytest.raises(SettingError, match="seeds must be 1 or more, not 0"):
        check_seeds(0)


def test_a_comparison_is_by_one_measure() -> None:
    with pytest.raises(SettingError, match="one measure decides, not P@3 and P@5: name one"):
        check_one_measure(["P@3", "P@5"])


def test_the_defaults_pass_their_checks() -> None:
    check_margin(MARGIN)
    check_seeds(SEEDS)
    check_one_measure(MEASURES[:1])
