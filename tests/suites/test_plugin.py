"""The hooks of the suites leave tests of others alone."""

from __future__ import annotations

from harness.suites.plugin import _is_suite
from harness.suites.test_leaderboard import test_leaderboard as suite


def test_only_what_is_defined_in_the_package_is_a_suite() -> None:
    assert _is_suite(suite)
    assert not _is_suite(test_only_what_is_defined_in_the_package_is_a_suite)
    assert not _is_suite(object())


def test_the_folder_of_the_checkout_has_every_suite_of_the_package() -> None:
    from pathlib import Path

    root = Path(__file__).parents[2]
    inside = {path.name for path in (root / "harness" / "suites").glob("test_*.py")}
    assert {path.name for path in (root / "suites").glob("test_*.py")} == inside
