"""The results folder: `<dataset>/<row>/seed<k>.json`, next to it the per-query values and the run."""

from __future__ import annotations

import base64
import hashlib
import json
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.base.errors import RecordError
from harness.base.files import replacing, sha256, slug, write_text
from harness.base.json_files import read_regular
from harness.bench.record import Record
from harness.bench.values import read_values
from harness.data.measures import PerQuery, Ranking
from harness.data.trec import write_run
from harness.methods import Method
from harness.rows import DEFAULT_ROWS, row_name


@dataclass(frozen=True)
class Place:
    """The files of one row on one dataset with one seed."""

    record: Path

    @property
    def queries(self) -> Path:
        """Per-query values: measure → query id → value."""
        return self.record.with_suffix(".queries.json")

    @property
    def run(self) -> Path:
        """The TREC run."""
        return self.record.with_suffix(".run.gz")

    @property
    def tops(self) -> Path:
        """The first documents of each query of the run: small, so that it can be kept where runs are not."""
        return self.record.with_suffix(".tops.gz")


def _folder(dataset: str) -> str:
    """A dataset's name as a folder; with a hash if two names could give one folder, as `./a b` and `./a-b` would."""
    plain = dataset.replace("/", "-")
    if slug(dataset) == plain and not dataset.startswith("folder/"):
        return plain
    return f"{slug(dataset)[:60]}-{hashlib.sha256(dataset.encode()).hexdigest()[:8]}"


@dataclass(frozen=True)
class StoredRecord:
    """A record and the place of its files."""

    record: Record
    place: Place


Key = tuple[str, str, str, int]
"""Dataset, row, method, seed: unique in a folder."""


def key_of(record: Record) -> Key:
    """The key of a record."""
    return record.dataset["name"], record.row, record.method, record.seed


def by_key(records: Iterable[StoredRecord]) -> dict[Key, StoredRecord]:
    """Key → the record with its place."""
    return {key_of(stored.record): stored for stored in records}


def read_record(path: Path) -> Record:
    """The record in a file.

    Raises:
        RecordError: it cannot be read, or is no record; names the file and the remedy.
    """
    try:
        text = read_regular(path)
    except OSError as error:
        raise RecordError(
            f"{path} cannot be read ({error.strerror or error}); remove it and run the row again."
        ) from error
    return Record.from_json(text, str(path))


class Store:
    """A results folder. Every file is written whole or not at all, the record last.

    Args:
        root: the folder; made when first written to.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def check(self) -> None:
        """Raises RecordError if the folder cannot be written: better before the work than after."""
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=self.root).close()
        except OSError as error:
            raise RecordError(
                f"the results folder {self.root} cannot be written ({error.strerror or error}); name another with "
                f"--results."
            ) from error

    def place(self, dataset: str, method: Method, seed: int) -> Place:
        """Where a row's files are; a row that is not a default one has its fingerprint in the name."""
        row = row_name(method)
        name = slug(row) if row in DEFAULT_ROWS else f"{slug(row)[:80]}-{method.fingerprint()[:8]}"
        return Place(self.root / _folder(dataset) / name / f"seed{seed}.json")

    def write_run(self, place: Place, run: Iterable[Ranking], tag: str) -> str:
        """Writes the run and returns the SHA-256 of its bytes."""
        write_run(place.run, run, tag)
        return sha256(place.run)

    def save(self, place: Place, record: Record, values: PerQuery | None) -> None:
        """Writes the per-query values, then the record; without values, a former record's are removed after that."""
        if values is not None:
            rounded = {m: {q: round(v, 6) for q, v in by_query.items()} for m, by_query in values.items()}
            text = json.dumps(rounded, separators=(",", ":"), sort_keys=True, allow_nan=False)
            write_text(place.queries, text + "\n")
        write_text(place.record, record.to_json())
        if values is None:
            place.queries.unlink(missing_ok=True)
            place.run.unlink(missing_ok=True)
            place.tops.unlink(missing_ok=True)

    def amend(self, place: Place, record: Record) -> None:
        """Writes the record of a row again; its files stay as they are."""
        write_text(place.record, record.to_json())

    def packed(self, place: Place) -> dict[str, str]:
        """The files next to a record, in base 64, for `unpack` in another process."""
        files = {"queries": place.queries, "run": place.run}
        return {name: base64.b64encode(path.read_bytes()).decode() for name, path in files.items() if path.is_file()}

    def unpack(self, place: Place, packed: Mapping[str, str], record: Record) -> None:
        """Writes the files of a row that another process did, whole or not at all, `record` last."""
        files = {"run": place.run, "queries": place.queries}
        for name in files.keys() & packed.keys():
            with replacing(files[name]) as part:
                part.write_bytes(base64.b64decode(packed[name]))
        write_text(place.record, record.to_json())
        for name in files.keys() - packed.keys():
            files[name].unlink(missing_ok=True)

    def load(self, place: Place) -> Record | None:
        """The record there; None if there is none that can be read."""
        try:
            return read_record(place.record)
        except RecordError:
            return None

    def whole(self, place: Place, record: Record) -> bool:
        """Whether a record has figures, and what they were made from is next to it: its per-query values and its
        run.
        """
        if record.status != "ok" or not place.run.is_file() or sha256(place.run) != record.run_sha256:
            return False
        try:
            self.values(StoredRecord(record, place))
        except RecordError:
            return False
        return True

    def values(self, stored: StoredRecord) -> PerQuery:
        """Per-query values of a record with scores; callers do not change them.

        Raises:
            RecordError: they are not there, cannot be read, or contradict the record.
        """
        return read_values(stored.place.queries, stored.record)

    def stored(self) -> tuple[list[StoredRecord], list[RecordError]]:
        """All records with their places, sorted by their paths, and what could not be read or is a copy."""
        records, faults = [], []
        for path in sorted(self.root.glob("*/*/seed*.json")):
            if path.name.endswith(".queries.json"):
                continue
            try:
                records.append(StoredRecord(read_record(path), Place(path)))
            except RecordError as error:
                faults.append(error)
        once, copies = _without_copies(records)
        return once, [*faults, *copies]

    def all(self) -> tuple[list[Record], list[RecordError]]:
        """All records, sorted by their paths, and what could not be read."""
        records, faults = self.stored()
        return [stored.record for stored in records], faults


def _without_copies(records: list[StoredRecord]) -> tuple[list[StoredRecord], list[RecordError]]:
    """Of several records of one key, one: the newest with scores. A copied record is not another seed.

    Returns:
        The records, and an error for each one that is left out.
    """
    # Of records made at the same time the first path is chosen, for `by_key` takes the last of a key.
    last_path_first = list(reversed(records))
    chosen = by_key(sorted(last_path_first, key=lambda one: (one.record.status == "ok", one.record.started)))
    once, faults = [], []
    for one in records:
        other = chosen[key_of(one.record)]
        if other is one:
            once.append(one)
            continue
        name = f"{one.record.row} on {one.record.dataset['name']} with seed {one.record.seed}"
        faults.append(
            RecordError(
                f"{one.place.record} is left out: {name} is in {other.place.record} too; remove one of the two."
            )
        )
    return once, faults
