"""Every row on every dataset: its record, and the leaderboard at the end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import pytest

from harness.base.errors import HarnessError, Unavailable
from harness.bench.record import Record
from harness.bench.runner import Bench
from harness.methods import Method


class Cell(Protocol):
    """A row on a dataset; made by `conftest.py`."""

    dataset: str
    method: Method


def test_leaderboard(cell: Cell, bench: Bench, show: Callable[[Record], None]) -> None:
    """The row runs and leaves a record with figures; what is absent is skipped by name, what fails fails here."""
    try:
        result = bench.run(cell.dataset, cell.method)
    except Unavailable as error:
        pytest.skip(str(error))
    except HarnessError as error:
        pytest.fail(str(error), pytrace=False)
    record = result.record
    show(record)
    problem = record.problem or {}
    if record.status == "skipped":
        pytest.skip(f"{problem['reason']} {problem['remedy']}")
    if record.status == "error":
        pytest.fail(f"{problem['reason']}\n\n{problem['trace']}", pytrace=False)
    assert set(record.measures) == {str(m) for m in bench.measures}
    assert all(value >= 0.0 for value in record.measures.values())
