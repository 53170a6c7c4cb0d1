"""The bounds of what a run is given as whole numbers: a record holds numbers below 2⁶³ (`harness.base.json_files`)."""

from __future__ import annotations

from harness.base.errors import SettingError

BEYOND = 2**63
"""The least number that no record holds."""


def checked_seed(seed: int) -> int:
    """A seed as it is.

    Raises:
        SettingError: it is below 0, or no record holds it.
    """
    return _within("seed", seed, 0)


def checked_depth(depth: int) -> int:
    """A depth of runs as it is.

    Raises:
        SettingError: it is below 1, or no record holds it.
    """
    return _within("depth", depth, 1)


def _within(name: str, value: int, least: int) -> int:
    if value < least:
        raise SettingError(f"{name} must be {least} or more, not {value}.")
    if value >= BEYOND:
        raise SettingError(f"{name} must be below 2^63, which is more than a record holds; give a smaller one.")
    return value
