"""The regression gate: with `--against`, each row's new record is held against the stored one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NoReturn, Protocol

import pytest

from harness.base.errors import HarnessError
from harness.bench.record import Record
from harness.bench.runner import Bench
from harness.bench.store import Store, StoredRecord
from harness.compare.regression import Regression, compare_records
from harness.methods import Method


class Cell(Protocol):
    """A row on a dataset; made by `conftest.py`."""

    dataset: str
    method: Method


def test_regression(cell: Cell, bench: Bench, against: Path | None, stands: Callable[[Regression], None]) -> None:
    """Worse beyond chance fails; unchanged and drifted pass, with the reason; a row without a stored record is
    skipped.
    """
    assert against is not None, "without it there is no cell"
    stored = Store(against)
    try:
        record = bench.run(cell.dataset, cell.method).record
        place = stored.place(record.dataset["name"], cell.method, record.seed)
        before = (
            Record.from_json(place.record.read_text(encoding="utf-8"), str(place.record))
            if place.record.is_file()
            else None
        )
        fault = _fault(record, before, against)
        if fault is None and before is not None:
            after = StoredRecord(record, bench.store.place(record.dataset["name"], cell.method, record.seed))
            found = compare_records(StoredRecord(before, place), stored, after, bench.store, str(bench.measures[0]))
    except HarnessError as error:
        fault = (pytest.fail, str(error))
    if fault is not None:
        end, why = fault
        end(why)
    stands(found)
    if found.finding == "worse":
        pytest.fail(f"{found.sentence}. Where it is meant: harness accept (see its --help).", pytrace=False)


def _fault(record: Record, before: Record | None, against: Path) -> tuple[Callable[[str], NoReturn], str] | None:
    """Why a row cannot be compared: one that failed fails here, one without anything to hold it against is skipped."""
    name = f"{record.row} on {record.dataset['name']}"
    if record.status == "error":
        return pytest.fail, f"{name} failed: {(record.problem or {}).get('reason')}"
    if record.status == "skipped":
        return pytest.skip, f"{name} was skipped: {(record.problem or {}).get('reason')}"
    if before is None or before.status != "ok":
        return pytest.skip, f"{name} has no figures in {against}"
    return None
