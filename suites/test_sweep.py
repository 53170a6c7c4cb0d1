"""See `harness.suites.test_sweep`."""

from harness.suites.test_sweep import test_sweep

__all__ = ["test_sweep"]
