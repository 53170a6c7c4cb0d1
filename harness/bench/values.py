"""Per-query values read from their files, checked against their record; those of the last files stay in memory.

The tables of a board, its comparisons by each measure and the page read the same files one after the other.
"""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path

from harness.base.errors import RecordError
from harness.base.json_files import decode_json, read_regular
from harness.bench.agreement import contradiction
from harness.bench.record import Record
from harness.data.measures import PerQuery

MOST_BYTES = 16 << 20
"""Size of the files whose values stay in memory, where they take about ten times as much."""
_State = tuple[int, int, int]
"""Inode, size and time of a file."""


class _Recent:
    """The values of the files that were read last."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Path, tuple[_State, Record, PerQuery]] = OrderedDict()
        self._bytes = 0

    def get(self, path: Path, state: _State, record: Record) -> PerQuery | None:
        """The values, if the file and its record are unchanged."""
        kept = self._kept.get(path)
        if kept is None or kept[0] != state or kept[1] != record:
            return None
        self._kept.move_to_end(path)
        return kept[2]

    def add(self, path: Path, state: _State, record: Record, values: PerQuery) -> None:
        """Adds the values of a file, and drops those that were not used for longest."""
        self._drop(path)
        self._kept[path] = state, record, values
        self._bytes += state[1]
        while self._bytes > MOST_BYTES:
            self._drop(next(iter(self._kept)))

    def _drop(self, path: Path) -> None:
        if path in self._kept:
            self._bytes -= self._kept.pop(path)[0][1]


_recent = _Recent()


def read_values(path: Path, record: Record) -> PerQuery:
    """The per-query values of a record with scores; callers do not change them.

    Raises:
        RecordError: they are not there, cannot be read, or contradict the record.
    """
    try:
        found = path.stat()
        state = found.st_ino, found.st_size, found.st_mtime_ns
        values = _recent.get(path, state, record)
        if values is not None:
            return values
        values = decode_json(read_regular(path), dict[str, dict[str, float]])
    except (OSError, ValueError) as error:
        raise RecordError(f"the per-query values {path} cannot be read ({error}); run the row again.") from error
    if details := contradiction(record, values):
        raise RecordError(f"the per-query values {path} contradict their record ({details}); run the row again.")
    _recent.add(path, state, record, values)
    return values
