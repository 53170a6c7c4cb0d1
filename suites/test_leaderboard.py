"""See `harness.suites.test_leaderboard`."""

from harness.suites.test_leaderboard import test_leaderboard

__all__ = ["test_leaderboard"]
