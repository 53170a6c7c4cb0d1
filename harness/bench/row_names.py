"""What rows are called wherever they are shown together: the user's name, else a short one, else the expression."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from harness.bench.record import Record
from harness.choices.short_names import short_names

_FUNCTION: Final = re.compile(r'python\(file="((?:[^"\\/]+/)?[^"\\/]+\.py:\w+)"\)')
"""A row of a function and nothing else; of a file here or one folder further, since long names are shortened."""


@dataclass(frozen=True)
class RowNames:
    """The names of some rows. They differ from each other.

    Args:
        names: row → name; a row that is not in it is shown as it is.
        unclear: rows whose name does not have everything of their expression, so that a legend must.
    """

    names: Mapping[str, str] = field(default_factory=dict)
    unclear: frozenset[str] = frozenset()

    @classmethod
    def of(cls, records: Iterable[Record]) -> RowNames:
        """The names of records. A name that several rows were given is that of the one whose record is newest."""
        by_date = sorted(records, key=lambda record: record.started)
        aliases = {record.row: record.alias for record in by_date if record.alias}
        newest = {record.alias: record.row for record in by_date if record.alias}
        own = {row: alias for row, alias in aliases.items() if newest[alias] == row}
        return cls.of_rows((record.row for record in by_date), own)

    @classmethod
    def of_rows(cls, rows: Iterable[str], aliases: Mapping[str, str] | None = None) -> RowNames:
        """The names of rows.

        Args:
            rows: as `harness.rows.row_name` gives them.
            aliases: row → the name that a user gave it.
        """
        every = set(rows)
        given = {row: alias for row, alias in (aliases or {}).items() if alias not in every}
        functions = _functions(every - given.keys(), every | set(given.values()))
        short = short_names(sorted(every - given.keys() - functions.keys()))
        taken = set(given.values()) | set(functions.values())
        names = {row: name.text if name.text not in taken else row for row, name in short.items()} | given | functions
        unclear = {row for row, name in short.items() if not name.whole and names[row] != row}
        return cls(names, frozenset(unclear | {row for row, alias in given.items() if alias != row}))

    def __call__(self, row: str) -> str:
        """The name of a row."""
        return self.names.get(row, row)


def _functions(rows: Iterable[str], taken: Iterable[str]) -> dict[str, str]:
    """Rows of a function → file and function, as on the command line, if nothing else is called that."""
    named = {row: found[1] for row in rows if (found := _FUNCTION.fullmatch(row))}
    return {row: name for row, name in named.items() if name not in taken}


def shown(record: Record) -> str:
    """The name of a row that is shown by itself."""
    return RowNames.of([record])(record.row)
