"""See `harness.suites.test_regression`."""

from harness.suites.test_regression import test_regression

__all__ = ["test_regression"]
