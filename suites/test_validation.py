"""See `harness.suites.test_validation`."""

from harness.suites.test_validation import test_validation

__all__ = ["test_validation"]
