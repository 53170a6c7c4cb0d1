"""The suites of the package as a folder of the checkout: `pytest suites/ --benchmark`."""

import pytest

pytest.register_assert_rewrite("harness.suites")

from harness.suites.plugin import (  # noqa: E402 - after the line above, which must come first
    against,
    bench,
    context,
    encoder,
    options,
    pytest_addoption,
    pytest_collection_modifyitems,
    pytest_configure,
    pytest_generate_tests,
    pytest_runtest_logreport,
    pytest_terminal_summary,
    pytest_unconfigure,
    reporter,
    results,
)

__all__ = [
    "against",
    "bench",
    "context",
    "encoder",
    "options",
    "pytest_addoption",
    "pytest_collection_modifyitems",
    "pytest_configure",
    "pytest_generate_tests",
    "pytest_runtest_logreport",
    "pytest_terminal_summary",
    "pytest_unconfigure",
    "reporter",
    "results",
]
