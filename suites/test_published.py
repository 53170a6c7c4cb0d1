"""See `harness.suites.test_published`."""

from harness.suites.test_published import test_published

__all__ = ["test_published"]
