"""See `harness.suites.test_indexes`."""

from harness.suites.test_indexes import tasks, test_indexes

__all__ = ["tasks", "test_indexes"]
