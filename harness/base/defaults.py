"""Defaults and checks of the parameters that the command line, pytest and Python share; imports nothing slow."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from harness.base.errors import SettingError

DATASET = "stdlib/code"
"""A collection that is built from Python's own standard library, so that it needs no download."""
MEASURES = ("nDCG@10", "R@100", "RR@10", "AP@100")
DEPTH = 1000
"""Documents per query in a run."""
SEED = 0
SEEDS = 1
"""Training seeds of a row."""
MARGIN = 0.01
"""Differences of up to this count as equivalent."""
TOP = 10
"""Queries that a comparison shows on each side."""
RESULTS = Path("results")
NEW_RESULTS = Path("results.new")
"""Where `pytest suites/ --against results` writes its records."""


def check_margin(margin: float) -> None:
    """Checks a margin of equivalence.

    Raises:
        SettingError: not between 0 and 1.
    """
    if not 0 < margin < 1:
        raise SettingError(f"margin must be above 0 and below 1, not {margin:g}: the largest difference to ignore.")


def check_seeds(seeds: int) -> None:
    """Checks a number of training seeds.

    Raises:
        SettingError: below 1.
    """
    if seeds < 1:
        raise SettingError(f"seeds must be 1 or more, not {seeds}.")


def check_one_measure(measures: Sequence[object]) -> None:
    """Checks that a comparison is by a single measure.

    Raises:
        SettingError: several are named.
    """
    if len(measures) > 1:
        raise SettingError(f"one measure decides, not {' and '.join(map(str, measures))}: name one.")
