"""Every row on every dataset: its record, and the leaderboard at the end."""

from __future__ import annotations

import pytest

from harness.base.errors import HarnessError, Unavailable
from harness.bench.runner import Bench
from harness.suites.selection import Cell
from harness.suites.summary import Reporter


def test_leaderboard(cell: Cell, bench: Bench, reporter: Reporter) -> None:
    """The row runs and its record has scores; a row without its model or library is skipped by name."""
    try:
        result = bench.run(cell.dataset, cell.method)
    except Unavailable as error:
        pytest.skip(str(error))
    except HarnessError as error:
        pytest.fail(str(error), pytrace=False)
    record = result.record
    reporter.record(record)
    problem = record.problem or {}
    if record.status == "skipped":
        pytest.skip(f"{problem['reason']} {problem['remedy']}")
    if record.status == "error":
        pytest.fail(f"{problem['reason']}\n\n{problem['trace']}", pytrace=False)
    assert set(record.measures) == {str(m) for m in bench.measures}
    assert all(value >= 0.0 for value in record.measures.values())
