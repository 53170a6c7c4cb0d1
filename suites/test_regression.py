"""The regression gate: with `--against`, each row's new record is held against the stored one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import pytest

from harness.bench.regression import Regression, held_against
from harness.bench.runner import Bench
from harness.bench.store import Store, Stored
from harness.errors import HarnessError
from harness.methods import Method


class Cell(Protocol):
    """A row on a dataset; made by `conftest.py`."""

    dataset: str
    method: Method


def test_regression(cell: Cell, bench: Bench, against: Path | None, stands: Callable[[Regression], None]) -> None:
    """Worse beyond chance fails; unchanged and drifted pass, with the reason; a row without a stored record is skipped."""
    if against is None:
        pytest.skip("run with --against results/")
    stored = Store(against)
    try:
        result = bench.run(cell.dataset, cell.method)
        record = result.record
        if record.status != "ok":
            pytest.skip(f"{record.status}: {(record.problem or {}).get('reason')}")
        place = stored.place(record.dataset["name"], cell.method, record.seed)
        before = stored.load(place)
        if before is None or before.status != "ok":
            pytest.skip(f"{record.row} on {record.dataset['name']} has no figures in {against}")
        after = Stored(record, bench.store.place(record.dataset["name"], cell.method, record.seed))
        found = held_against(Stored(before, place), stored, after, bench.store, str(bench.measures[0]))
    except HarnessError as error:
        pytest.fail(str(error), pytrace=False)
    stands(found)
    if found.finding == "worse":
        pytest.fail(f"{found.sentence}. Where it is meant: harness accept (see its --help).", pytrace=False)
