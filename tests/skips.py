"""Skips that are expected where everything is installed; in CI any other skip fails the session.

A test that skips everywhere tests nothing, and a green session does not show it. So in CI (the variable `CI` is set, or
the option `--no-unexpected-skips` is given) a skip whose reason is not on the list below ends the session with status
1. On a laptop a skip stays a skip.
"""

from __future__ import annotations

import os
import re

import pytest

EXPECTED = {
    r"no chromium on this machine": "a browser is no Python package; .ci/run installs Debian's where it may",
    r"pdflatex is not installed": "a TeX distribution takes gigabytes; other tests read the source it would get",
    r"^(needs a pseudo-terminal|no modes|no fork|st_ctime is the time of creation there)$": "Windows has none of them",
    r"replays what was computed elsewhere$": "hosted models and run files compute nothing between calls",
    r"(does not re-rank|weighs candidates against each other)$": "it is about rows that score candidates one by one",
    r"^a run file is of its own collection$": "its documents are not those of the other collection",
    r"^it is approximate$": "the clause is about exact indexes",
}
"""Pattern of a skip's reason → why such a skip is no gap."""


def expected(reason: str) -> bool:
    """Whether a skip of this reason is on the list."""
    return any(re.search(pattern, reason) for pattern in EXPECTED)


def in_ci() -> bool:
    """Whether this is a CI machine, by the variable that their services set."""
    return os.environ.get("CI", "").lower() not in ("", "0", "false", "no")


class UnexpectedSkips:
    """Collects skips that are not on the list; fails the session if there are any."""

    def __init__(self) -> None:
        self.seen: dict[str, str] = {}

    def _look(self, report: pytest.TestReport | pytest.CollectReport) -> None:
        if report.skipped and not hasattr(report, "wasxfail"):
            told = report.longrepr
            reason = str(told[2] if isinstance(told, tuple) else told).removeprefix("Skipped: ")
            if not expected(reason):
                self.seen[report.nodeid] = reason

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Tests that skip, in this process or in one of pytest-xdist's."""
        self._look(report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Whole files that skip."""
        self._look(report)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """A session that was good so far has failed."""
        if self.seen and session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Which, and what to do."""
        if self.seen:
            terminalreporter.section("unexpected skips", red=True)
            for nodeid, reason in self.seen.items():
                terminalreporter.write_line(f"{nodeid}: {reason}")
            remedy = (
                'install what they need (`pip install -e ".[dev]"`), or add the reason to tests/skips.py and say why'
            )
            terminalreporter.write_line(f"{len(self.seen)} skipped without need: {remedy}")


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--no-unexpected-skips`."""
    parser.addoption(
        "--no-unexpected-skips",
        action="store_true",
        default=in_ci(),
        help="fail on a skip whose reason is not listed in tests/skips.py (the default where CI is set)",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Watches in the process that reports, not in pytest-xdist's workers."""
    if config.getoption("--no-unexpected-skips") and not hasattr(config, "workerinput"):
        config.pluginmanager.register(UnexpectedSkips(), "unexpected-skips")
