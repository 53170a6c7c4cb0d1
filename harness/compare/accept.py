"""A deliberate change accepted by name: the new record of a row replaces the stored one, with the reason."""

from __future__ import annotations

from pathlib import Path

from harness.base.defaults import DATASET, NEW_RESULTS, RESULTS, SEED
from harness.base.errors import RecordError, SettingError
from harness.bench.record import Record
from harness.bench.store import Store, StoredRecord
from harness.compare import regression
from harness.datasets import load_dataset
from harness.rows import methods_of
from harness.runtime.context import Context, open_context


def accept(
    row: str,
    why: str,
    dataset: str = DATASET,
    seed: int = SEED,
    new: str | Path = NEW_RESULTS,
    results: str | Path = RESULTS,
    context: Context | None = None,
) -> Record:
    """Puts the new record of a row in place of the stored one.

    Args:
        row: its name or expression.
        why: the reason; it is written into the record.
        dataset: as `source/name[/split]` or a path.
        seed: of the record.
        new: folder of the new records.
        results: folder of the stored records.
        context: its data folders and cache.

    Returns:
        The record as it is stored now.

    Raises:
        RecordError: there is no new record.
        HarnessError: bad input, or a record that cannot be accepted.
    """
    methods = methods_of([row])
    if len(methods) > 1:
        raise SettingError(f"{row} names {len(methods)} rows; accept one at a time.")
    (method,) = methods
    name = load_dataset(dataset, context or open_context()).name
    store, target = Store(Path(new)), Store(Path(results))
    place = store.place(name, method, seed)
    if not place.record.is_file():
        raise RecordError(
            f"{new} has no record of {row} on {name} with seed {seed}; "
            f"run pytest suites/ --benchmark --against {results} to make one."
        )
    record = Record.from_json(place.record.read_text(encoding="utf-8"), str(place.record))
    return regression.accept(StoredRecord(record, place), target, target.place(name, method, seed), why)
