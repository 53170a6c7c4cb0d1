"""The regression gate: with `--against`, each row's new record is compared with the stored one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest

from harness.base.errors import HarnessError
from harness.bench.record import Record
from harness.bench.runner import Bench
from harness.bench.store import Store, StoredRecord
from harness.compare.regression import compare_records
from harness.suites.selection import Cell
from harness.suites.summary import Reporter


def test_regression(cell: Cell, bench: Bench, against: Path | None, reporter: Reporter) -> None:
    """Significantly worse fails; unchanged and drifted pass, with the reason; without a stored record it is skipped."""
    assert against is not None, "without --against there is no cell"
    stored = Store(against)
    try:
        record = bench.run(cell.dataset, cell.method).record
        place = stored.place(record.dataset["name"], cell.method, record.seed)
        before = None
        if place.record.is_file():
            before = Record.from_json(place.record.read_text(encoding="utf-8"), str(place.record))
        fault = _fault(record, before, against)
        if fault is None and before is not None:
            after = StoredRecord(record, bench.store.place(record.dataset["name"], cell.method, record.seed))
            found = compare_records(StoredRecord(before, place), stored, after, bench.store, str(bench.measures[0]))
    except HarnessError as error:
        fault = (pytest.fail, str(error))
    if fault is not None:
        end, why = fault
        end(why)
    reporter.regression(found)
    if found.finding == "worse":
        pytest.fail(f"{found.sentence}. If it is intended, accept it with `harness accept`.", pytrace=False)


def _fault(record: Record, before: Record | None, against: Path) -> tuple[Callable[[str], NoReturn], str] | None:
    """Why a row cannot be compared: a failed row fails here, one without a stored record is skipped."""
    name = f"{record.row} on {record.dataset['name']}"
    if record.status == "error":
        return pytest.fail, f"{name} failed: {(record.problem or {}).get('reason')}"
    if record.status == "skipped":
        return pytest.skip, f"{name} was skipped: {(record.problem or {}).get('reason')}"
    if before is None or before.status != "ok":
        return pytest.skip, f"{name} has no scores in {against}"
    return None
